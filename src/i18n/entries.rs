//! The entries of a Fluent file with their variables. Not a formatter. Compiled into the build
//! script, which generates functions from the English entries, and into the tests, which compare
//! languages.

use std::collections::BTreeMap;

use fluent_syntax::{
    ast::{
        CallArguments, Entry as Item, Expression, InlineExpression, Pattern, PatternElement,
        Variant, VariantKey,
    },
    parser, serializer,
};

/// The type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string, inserted unchanged.
    Text,
    /// A number: the argument of `NUMBER`, or a selector among numbers and plural categories.
    Number,
}

/// A message or an attribute of a message.
#[derive(Debug)]
pub struct Entry {
    /// `message` or `message.attribute`.
    pub id: String,
    /// Name and type of each variable.
    pub variables: BTreeMap<String, Kind>,
    /// The source text of the pattern.
    pub source: String,
}

/// The entries of a file, in order.
///
/// # Errors
///
/// The file is not valid Fluent, or a message has no value.
pub fn entries(file: &str) -> Result<Vec<Entry>, String> {
    let resource = parser::parse(file).map_err(|(_, errors)| format!("{errors:?}"))?;
    let mut found = Vec::new();
    for item in &resource.body {
        let Item::Message(message) = item else { continue };
        let id = message.id.name;
        let value = message.value.as_ref().ok_or_else(|| format!("{id} has no value"))?;
        found.push(entry(id.to_owned(), value));
        for attribute in &message.attributes {
            found.push(entry(format!("{id}.{}", attribute.id.name), &attribute.value));
        }
    }
    Ok(found)
}

fn entry(id: String, pattern: &Pattern<&str>) -> Entry {
    let mut variables = BTreeMap::new();
    in_pattern(pattern, &mut variables);
    Entry { id, variables, source: source(pattern) }
}

fn in_pattern(pattern: &Pattern<&str>, found: &mut BTreeMap<String, Kind>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            in_expression(expression, found);
        }
    }
}

fn in_expression(expression: &Expression<&str>, found: &mut BTreeMap<String, Kind>) {
    match expression {
        Expression::Inline(inline) => in_inline(inline, Kind::Text, found),
        Expression::Select { selector, variants } => {
            let are_numbers = variants.iter().all(is_number);
            in_inline(selector, if are_numbers { Kind::Number } else { Kind::Text }, found);
            for variant in variants {
                in_pattern(&variant.value, found);
            }
        }
    }
}

/// Whether a variant's key is a number or a plural category.
fn is_number(variant: &Variant<&str>) -> bool {
    match variant.key {
        VariantKey::NumberLiteral { .. } => true,
        VariantKey::Identifier { name } => {
            ["zero", "one", "two", "few", "many", "other"].contains(&name)
        }
    }
}

fn in_inline(inline: &InlineExpression<&str>, kind: Kind, found: &mut BTreeMap<String, Kind>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            let known = found.entry(id.name.to_owned()).or_insert(kind);
            if kind == Kind::Number {
                *known = kind;
            }
        }
        InlineExpression::FunctionReference { arguments, .. } => {
            in_arguments(arguments, Kind::Number, found);
        }
        InlineExpression::TermReference { arguments: Some(arguments), .. } => {
            in_arguments(arguments, kind, found);
        }
        InlineExpression::Placeable { expression } => in_expression(expression, found),
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { arguments: None, .. } => {}
    }
}

fn in_arguments(arguments: &CallArguments<&str>, kind: Kind, found: &mut BTreeMap<String, Kind>) {
    for argument in &arguments.positional {
        in_inline(argument, kind, found);
    }
    for argument in &arguments.named {
        in_inline(&argument.value, kind, found);
    }
}

/// The source text of a pattern, for the documentation of its function.
fn source(pattern: &Pattern<&str>) -> String {
    use fluent_syntax::ast::{Identifier, Message, Resource};

    let message = Message {
        id: Identifier { name: "x" },
        value: Some(pattern.clone()),
        attributes: Vec::new(),
        comment: None,
    };
    let text = serializer::serialize(&Resource { body: vec![Item::Message(message)] });
    text.trim_start_matches("x =").trim().to_owned()
}
