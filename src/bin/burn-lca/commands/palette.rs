//! The palettes of pictures, as the command line names them.

use burn_lca::report::palette::Palette;
use clap::ValueEnum;
use clap::builder::PossibleValue;

/// A palette to choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaletteArg(pub Palette);

impl ValueEnum for PaletteArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(Palette::GreenRed),
            Self(Palette::BlueOrange),
            Self(Palette::Grey),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}
