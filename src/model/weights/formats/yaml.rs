//! YAML files as JSON values: the configurations of checkpoints, and the descriptions of bags.
//!
//! Tags such as `!!python/tuple` are ignored, and nothing is constructed. Length and nesting are
//! limited, because the parser and its values recurse; its own limit bounds aliases.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

use crate::model::{
    error::FileFault,
    findings::{Bytes, Malformed, Printable},
    weights::error::Result,
};

/// Largest length of a file, in bytes; configurations have up to 12 kB.
const LIMIT: u64 = 256 << 10;

/// Limit on the nesting of values.
const NESTING: usize = 64;

/// Reads the first document of a file.
pub(in crate::model::weights) fn read(path: &Path) -> Result<Value> {
    let meta = fs::metadata(path)?;
    // Checked before it is opened, because opening a pipe waits for its other end.
    if meta.is_dir() {
        return Err(FileFault::Folder.into());
    }
    if !meta.is_file() {
        return Err(FileFault::NotAFile.into());
    }
    let mut text = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(Malformed::LongConfiguration { limit: Bytes(LIMIT) }.into());
    }
    let text = String::from_utf8(text).map_err(|_| Malformed::YamlText)?;
    parse(&text)
}

/// Parses the first document of a text.
pub(in crate::model::weights) fn parse(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if nesting(text) > NESTING {
        return Err(Malformed::YamlNesting { limit: NESTING }.into());
    }
    let documents = Yaml::load_from_str(text)
        .map_err(|error| Malformed::Yaml { cause: Printable::of(error) })?;
    Ok(documents.first().map_or(Value::Null, json))
}

/// An upper bound of the nesting, but for nesting by indentation, which the length bounds: open
/// brackets, and indicators at the start of a line.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for line in text.lines() {
        let indicators =
            line.split_whitespace().take_while(|word| matches!(*word, "-" | "?" | ":"));
        most = most.max(indicators.count());
        for character in line.chars() {
            match character {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            most = most.max(open);
        }
    }
    most
}

fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => (*value).into(),
            Scalar::Integer(value) => (*value).into(),
            // Infinity becomes null, which counts as absent.
            Scalar::FloatingPoint(value) => value.into_inner().into(),
            Scalar::String(text) => text.as_ref().into(),
        },
        Yaml::Representation(text, ..) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            let key = |key: &Yaml<'_>| match json(key) {
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            let entry = |(name, value): (&Yaml<'_>, &Yaml<'_>)| Some((key(name)?, json(value)));
            Value::Object(entries.iter().filter_map(entry).collect::<Map<_, _>>())
        }
        Yaml::Tagged(_, inner) => json(inner),
        Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;
    use crate::model::weights::error::Fault;

    fn message(text: &str) -> String {
        match parse(text) {
            Err(Fault::Wrong(fault)) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn real_configurations_are_read() {
        let value = parse(
            "\u{feff}model:\n  dim: 384\n  bands: !!python/tuple\n  - 2\n  - 4\n  flash_attn: True\n\
             training:\n  lr: 1.0e-05\n  target: null\n  window: !!python/name:torch.hann_window ''\n\
             inference: {normalize: false, chunk: '352800'}\n",
        )
        .unwrap();
        assert_eq!(value["model"], json!({"dim": 384, "bands": [2, 4], "flash_attn": true}));
        assert_eq!(value["training"]["lr"], 1e-5);
        assert!(value["training"]["target"].is_null());
        assert_eq!(value["inference"], json!({"normalize": false, "chunk": "352800"}));
    }

    #[test]
    fn nesting_and_aliases_are_limited() {
        let text = message(&"[".repeat(100_000));
        assert!(text.contains("more than 64 values in one another"), "{text}");
        assert!(message(&"- ".repeat(10_000)).contains("in one another"));
        assert!(message(&"? ".repeat(10_000)).contains("in one another"));
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            let before = before.trim_end_matches(", ");
            writeln!(laughs, "a{level}: &a{level} [{before}]").unwrap();
        }
        assert!(message(&laughs).contains("is not valid YAML"), "{}", message(&laughs));
        assert!(message("a: [1, 2").contains("is not valid YAML"));
    }
}
