//! Numbers as texts, with the signs that typesetters use.

use crate::analysis::thousands;

/// Returns a number with the sign that typesetters use.
pub(in crate::report) fn minus(number: &str) -> String {
    number.replace('-', "−")
}

/// Returns "1 step", "2,000 steps".
pub(in crate::report) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{} {what}s", thousands(count)),
    }
}

/// Returns a number with three significant digits, for notes.
pub(in crate::report) fn short(value: f64) -> String {
    minus(&match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e5).contains(&size) => format!("{value:.2e}").replace(".00e", "e"),
        size => {
            let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
            format!("{value:.decimals$}")
        }
    })
}

/// Returns a number with its sign, an exponent and this many decimals.
pub(in crate::report) fn signed(value: f64, decimals: usize) -> String {
    minus(&format!("{value:+.decimals$e}"))
}

/// Returns a number with this many decimals, for ticks.
pub(super) fn decimal(value: f64, decimals: usize) -> String {
    if decimals == 0 && value.abs() >= 1e4 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", thousands(value.abs() as u64));
    }
    minus(&format!("{:.decimals$}", value + 0.0))
}

/// Returns a power of ten, for ticks.
pub(super) fn power_of_ten(power: i32) -> String {
    match power {
        0 => "1".into(),
        1 => "10".into(),
        power => format!("10^{}", minus(&power.to_string())),
    }
}
