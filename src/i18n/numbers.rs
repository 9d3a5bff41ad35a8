//! Numbers as the language of this thread writes them. Pure but for the language.

use fluent_bundle::types::FluentNumber;

use super::text;

/// A number with so many decimals.
pub(crate) fn decimal(number: f64, places: usize) -> String {
    with_marks(&format!("{number:.places$}"), true)
}

/// A number as a message asks for it.
pub(super) fn in_message(number: &FluentNumber) -> String {
    let options = &number.options;
    let plain = number.as_string();
    let plain = match options.maximum_fraction_digits {
        Some(most) if plain.split_once('.').is_some_and(|(_, rest)| rest.len() > most) => {
            format!("{:.most$}", number.value)
        }
        _ => plain.into_owned(),
    };
    let digits = plain.split('.').next().unwrap_or_default().len();
    let missing = options.minimum_integer_digits.unwrap_or(0).saturating_sub(digits);
    with_marks(&format!("{}{plain}", "0".repeat(missing)), options.use_grouping)
}

/// A number as Rust writes it, with the language's marks.
fn with_marks(number: &str, is_grouped: bool) -> String {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if is_grouped && index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(text!(number_group_mark));
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push_str(text!(number_decimal_mark));
        text.push_str(decimals);
    }
    text
}
