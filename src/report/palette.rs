//! Every colour that is drawn: what helps, what hurts, series that are told apart, and greys.
//!
//! Helping is always the darker of the two signs, so that they stay apart in print without colour.

/// The background of figures and films.
pub(super) const PAPER: Color = Color::new(0xff_ffff);
/// Letters, and lines of the same importance.
pub(super) const INK: Color = Color::new(0x22_2222);
/// Letters of notes.
pub(super) const NOTE: Color = Color::new(0x55_5555);
/// Frames around panels, and ticks.
pub(super) const FRAME: Color = Color::new(0x66_6666);
/// Frames around blocks of cells.
pub(super) const BORDER: Color = Color::new(0xb0_b0b0);
/// Lines behind the data.
pub(super) const GRID: Color = Color::new(0xe2_e2e2);
/// The line at the current iteration of a film.
pub(super) const CURSOR: Color = Color::new(0xff_c20a);
/// Cells that are NaN or infinite.
pub(super) const NOT_FINITE: Color = Color::new(0xa0_20c0);

/// The colours on either side of zero, where a diverging scale has a limited number of them.
pub(super) const LEVELS: i32 = 32;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Color {
    /// Returns the colour of a number such as `0x1b7837`.
    #[must_use]
    pub const fn new(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self { red, green, blue }
    }

    /// Returns the colour as CSS and SVG write it, such as `#1b7837`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// Returns the relative luminance of WCAG 2, from 0 (black) to 1 (white).
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// Returns the contrast ratio of WCAG 2 with another colour, from 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    /// Returns the colour of letters on this one, of [`INK`] and [`PAPER`]: the one that stands out
    /// more.
    pub(super) fn letters(self) -> Self {
        if self.contrast(INK) < self.contrast(PAPER) {
            PAPER
        } else {
            INK
        }
    }

    /// Returns a colour half as light, for marks on a line of this colour.
    pub(super) fn darker(self) -> Self {
        self.towards(Self::new(0), 0.5)
    }

    /// Returns the colour at a fraction of the way to another one.
    pub(super) fn towards(self, other: Self, fraction: f64) -> Self {
        let mix = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * fraction).round() as u8
        };
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
        }
    }
}

/// The colours of a picture.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Palette {
    /// Green helps, red hurts.
    #[default]
    GreenRed,
    /// Blue helps, orange hurts; distinct with any kind of colour blindness.
    BlueOrange,
    /// Dark helps, light hurts, zero lies between; for print without colour.
    Grey,
}

impl Palette {
    /// All palettes, the default first.
    pub const ALL: [Self; 3] = [Self::GreenRed, Self::BlueOrange, Self::Grey];

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GreenRed => "green-red",
            Self::BlueOrange => "blue-orange",
            Self::Grey => "grey",
        }
    }

    /// Returns the colour of what helps (negative LCA).
    #[must_use]
    pub fn helps(self) -> Color {
        match self {
            Self::GreenRed => Color::new(0x00_6d2c),
            Self::BlueOrange => Color::new(0x08_519c),
            Self::Grey => Color::new(0x33_3333),
        }
    }

    /// Returns the colour of what hurts (positive LCA).
    #[must_use]
    pub fn hurts(self) -> Color {
        match self {
            Self::GreenRed => Color::new(0xe3_4a33),
            Self::BlueOrange => Color::new(0xec_7014),
            Self::Grey => Color::new(0xbd_bdbd),
        }
    }

    /// Returns the colour of an LCA by its sign: helping, hurting or zero.
    #[must_use]
    pub fn of(self, lca: f64) -> Color {
        if lca < 0.0 {
            self.helps()
        } else if lca > 0.0 {
            self.hurts()
        } else {
            self.zero()
        }
    }

    /// Returns the colour of exact zeros and of lines that mark a level.
    #[must_use]
    pub fn zero(self) -> Color {
        Color::new(0x96_9696)
    }

    /// Returns the colour of a value on a scale from −1 (helps most) to 1 (hurts most).
    ///
    /// Zero is white, or a middle grey in [`Grey`](Self::Grey). Values beyond the scale get the colour
    /// of its end, NaN that of [`missing`](Self::missing).
    #[must_use]
    pub fn diverging(self, value: f64) -> Color {
        if value.is_nan() {
            return self.missing();
        }
        let middle = match self {
            Self::GreenRed | Self::BlueOrange => PAPER,
            Self::Grey => Color::new(0x99_9999),
        };
        let (end, middle_end) = match (self, value < 0.0) {
            (Self::Grey, true) => (Color::new(0x00_0000), Color::new(0x4d_4d4d)),
            (Self::Grey, false) => (Color::new(0xff_ffff), Color::new(0xd0_d0d0)),
            (Self::GreenRed, true) => (Color::new(0x00_441b), Color::new(0x41_ab5d)),
            (Self::GreenRed, false) => (Color::new(0xb3_0000), Color::new(0xfc_8d59)),
            (Self::BlueOrange, true) => (Color::new(0x08_306b), Color::new(0x42_92c6)),
            (Self::BlueOrange, false) => (Color::new(0x99_3404), Color::new(0xfe_9929)),
        };
        let size = value.abs().min(1.0);
        if size < 0.5 {
            middle.towards(middle_end, size * 2.0)
        } else {
            middle_end.towards(end, size * 2.0 - 1.0)
        }
    }

    /// Returns the colour of a level of the diverging scale, from −[`LEVELS`] to [`LEVELS`].
    pub(super) fn level(self, level: i32) -> Color {
        self.diverging(f64::from(level) / f64::from(LEVELS))
    }

    /// Returns the colour of what chance would give, which neither helps nor hurts.
    #[must_use]
    pub fn chance(self) -> Color {
        match self {
            Self::GreenRed | Self::BlueOrange => Color::new(0x9e_9ac8),
            Self::Grey => Color::new(0x80_8080),
        }
    }

    /// Returns the colour of cells without a number.
    #[must_use]
    pub fn missing(self) -> Color {
        Color::new(0xe8_e4f0)
    }

    /// Returns the colour of the n-th series; colours repeat after seven, so dashes or markers have to
    /// tell series apart.
    ///
    /// The colours are Okabe and Ito's ("Color Universal Design", 2008) with a darker yellow, ordered so
    /// that neighbours differ in lightness; [`Grey`](Self::Grey) has four greys.
    #[must_use]
    pub fn series(self, number: usize) -> Color {
        const COLORS: [Color; 7] = [
            Color::new(0x00_72b2),
            Color::new(0xe6_9f00),
            Color::new(0x00_4d40),
            Color::new(0xcc_79a7),
            Color::new(0xd5_5e00),
            Color::new(0x56_b4e9),
            Color::new(0x8c_6d00),
        ];
        const GREYS: [Color; 4] = [
            Color::new(0x00_0000),
            Color::new(0x8c_8c8c),
            Color::new(0x46_4646),
            Color::new(0xb4_b4b4),
        ];
        match self {
            Self::GreenRed | Self::BlueOrange => COLORS[number % COLORS.len()],
            Self::Grey => GREYS[number % GREYS.len()],
        }
    }
}

/// A colour of the page by its name in the style sheet, on a light and on a dark screen.
pub(in crate::report) struct ScreenColor {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) light: Color,
    pub(in crate::report) dark: Color,
}

impl ScreenColor {
    const fn new(name: &'static str, light: u32, dark: u32) -> Self {
        Self {
            name,
            light: Color::new(light),
            dark: Color::new(dark),
        }
    }
}

/// What the page has on a screen besides the colours of a palette. Texts keep 4.5 to 1 from the
/// page and from what is raised, marks 3 to 1 from the page; so its series are not those of
/// printed figures.
pub(in crate::report) const SCREEN: [ScreenColor; 17] = [
    ScreenColor::new("page", 0xff_ffff, 0x14_171b),
    ScreenColor::new("raised", 0xf4_f5f7, 0x1e_2328),
    ScreenColor::new("line", 0xc9_ced6, 0x43_4b55),
    ScreenColor::new("grid", 0xe3_e6eb, 0x2a_3037),
    ScreenColor::new("text", 0x1b_1f24, 0xe8_eaed),
    ScreenColor::new("quiet", 0x50_5863, 0xaa_b2bd),
    ScreenColor::new("focus", 0x0b_57d0, 0x8a_b4f8),
    ScreenColor::new("cursor", 0x4a_4f57, 0xc3_c9d1),
    ScreenColor::new("nan", 0x8a_63d2, 0xb7_9af0),
    ScreenColor::new("c0", 0x0b_62b0, 0x6c_b2f5),
    ScreenColor::new("c1", 0xb3_5900, 0xf0_a35e),
    ScreenColor::new("c2", 0x00_755a, 0x3e_cfa8),
    ScreenColor::new("c3", 0xa8_357a, 0xf0_8cc6),
    ScreenColor::new("c4", 0x5c_6b00, 0xc3_cf55),
    ScreenColor::new("c5", 0x6d_4bc4, 0xb6_9cf7),
    ScreenColor::new("c6", 0x0d_7489, 0x5f_c9de),
    ScreenColor::new("c7", 0x8c_4a2f, 0xdb_a186),
];

impl Palette {
    /// Returns what helps and hurts on a screen: marks, texts, and the scale from −1 over zero
    /// (`mid`) to 1. On a light screen these are the colours of printed figures.
    pub(in crate::report) fn screen(self) -> [ScreenColor; 9] {
        let (helps, hurts) = match self {
            Self::GreenRed => (Color::new(0x4c_c26b), Color::new(0xff_7b72)),
            Self::BlueOrange => (Color::new(0x6c_b2f5), Color::new(0xf0_a35e)),
            Self::Grey => (Color::new(0x8c_8c8c), Color::new(0xff_ffff)),
        };
        let mid = SCREEN[0].dark;
        let half = |end: Color| mid.towards(end, 0.5);
        let color = |name, light, dark| ScreenColor { name, light, dark };
        [
            color("help", self.helps(), helps),
            color("hurt", self.hurts(), hurts),
            color("help-text", self.helps(), helps),
            color("hurt-text", self.diverging(1.0), hurts),
            color("help-full", self.diverging(-1.0), helps),
            color("help-half", self.diverging(-0.5), half(helps)),
            color("mid", self.diverging(0.0), mid),
            color("hurt-half", self.diverging(0.5), half(hurts)),
            color("hurt-full", self.diverging(1.0), hurts),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_out_from_every_colour_of_the_scale() {
        // The grey has a luminance of 0.5395: (0.5395 + 0.05)/0.05 to black.
        let grey = Color::new(0xc2_c2c2);
        for (other, ratio) in [(0x00_0000, 11.8), (0xff_ffff, 1.78), (0xc2_c2c2, 1.0)] {
            assert!((grey.contrast(Color::new(other)) - ratio).abs() < 0.05);
        }
        // Both are equally far where (luminance + 0.05)² = (1 + 0.05) (0.0160 + 0.05), at 0.213:
        // between these greys of 0.209 and 0.216.
        let letters = [0x7e_7e7e, 0x80_8080, 0x8c_8c8c].map(|grey| Color::new(grey).letters());
        assert_eq!(letters, [PAPER, INK, INK]);
        for palette in Palette::ALL {
            for color in (-LEVELS..=LEVELS).map(|level| palette.level(level)) {
                // Where both are equally far it is 1.05 / 0.263 = 3.99.
                assert!(
                    color.contrast(color.letters()) > 3.98,
                    "{palette:?} {color:?}"
                );
            }
        }
    }

    #[test]
    fn helping_and_hurting_stay_apart_without_colour() {
        for palette in Palette::ALL {
            let (helps, hurts) = (palette.helps(), palette.hurts());
            assert!(helps.luminance() < hurts.luminance(), "{palette:?}");
            assert!(helps.contrast(hurts) > 1.6, "{palette:?}");
        }
    }

    #[test]
    fn a_diverging_scale_goes_one_way_on_either_side_of_zero() {
        for palette in Palette::ALL {
            let at = |value: i32| palette.diverging(f64::from(value) / 10.0).luminance();
            for value in 0..10 {
                assert!(at(-value - 1) < at(-value), "{palette:?} {value}");
                let further = at(value + 1) < at(value);
                assert_eq!(further, palette != Palette::Grey, "{palette:?} {value}");
            }
            assert_eq!(palette.diverging(7.0), palette.diverging(1.0));
            assert_eq!(palette.diverging(f64::NAN), palette.missing());
        }
    }

    #[test]
    fn texts_and_marks_stand_out_from_a_light_and_from_a_dark_screen() {
        let [page, raised, others @ ..] = &SCREEN;
        let of_palettes = [Palette::GreenRed, Palette::BlueOrange].map(Palette::screen);
        let check = |color: &ScreenColor, ground: &ScreenColor, least: f64| {
            let light = color.light.contrast(ground.light);
            let dark = color.dark.contrast(ground.dark);
            assert!(
                light >= least && dark >= least,
                "{}: {light} {dark}",
                color.name
            );
        };
        for color in others.iter().chain(of_palettes.iter().flatten()) {
            match color.name {
                "text" | "quiet" | "focus" | "help-text" | "hurt-text" => {
                    check(color, page, 4.5);
                    check(color, raised, 4.5);
                }
                "line" | "grid" | "mid" | "help-half" | "hurt-half" => {}
                _ => check(color, page, 3.0),
            }
        }
    }
}
