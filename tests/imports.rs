//! Checks that files of `src` import each other in one direction, without cycles. A module may use
//! items that its parents share with it, except that nothing in the engine imports the engine's
//! facade.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A module's path from the crate's root: `["model", "kernels", "cpu"]`.
pub(crate) type Module = Vec<String>;

/// A use of a name: the inline modules around it, and the path as written.
pub(crate) struct Reference {
    inline: Vec<String>,
    pub(crate) path: Vec<String>,
    /// The name that a `use` brings into scope.
    pub(crate) name: Option<String>,
}

/// The length of the raw string at the start of `rest`.
fn raw_string(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let content = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).map_or(content.len(), |at| at + end.len());
    Some(rest.len() - content.len() + length)
}

/// Splits code into names, `::` and single characters, without comments and literals.
fn tokens(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let part_end = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let after = |text: &str, from: usize| {
            rest[from..].find(text).map_or(rest.len(), |at| from + at + text.len())
        };
        let (length, is_token) = if rest.starts_with("//") {
            (after("\n", 0), false)
        } else if let Some(end) = raw_string(rest) {
            (end, false)
        } else if first == '"' {
            let ends = |at: &usize| {
                let escapes =
                    rest.as_bytes()[..*at].iter().rev().take_while(|byte| **byte == b'\\').count();
                rest.as_bytes()[*at] == b'"' && escapes % 2 == 0
            };
            ((1..rest.len()).find(ends).map_or(rest.len(), |at| at + 1), false)
        } else if rest.starts_with("'\\") {
            (after("'", 3), false)
        } else if first == '\'' && rest.chars().nth(2) == Some('\'') {
            (after("'", 1 + rest[1..].chars().next().map_or(1, char::len_utf8)), false)
        } else if first.is_alphabetic() || first == '_' {
            (part_end(|c| c.is_alphanumeric() || c == '_'), true)
        } else if rest.starts_with("::") {
            (2, true)
        } else {
            (first.len_utf8(), !first.is_whitespace())
        };
        if is_token {
            found.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    found
}

/// The paths of a `use` tree, each with the name that it brings into scope; returns the rest of the
/// tokens.
fn use_tree<'a>(
    tokens: &'a [String],
    prefix: &[String],
    found: &mut Vec<(Vec<String>, String)>,
) -> &'a [String] {
    let (mut path, mut at) = (prefix.to_vec(), 0);
    let mut name = None;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "," | ";" | "}" => break,
            "::" => {}
            "as" => {
                name = tokens.get(at + 1).cloned();
                at += 1;
            }
            "{" => {
                let mut rest = &tokens[at + 1..];
                while rest.first().is_some_and(|token| token != "}") {
                    rest = use_tree(rest, &path, found);
                    rest = rest.strip_prefix(&[",".to_owned()]).unwrap_or(rest);
                }
                return rest.get(1..).unwrap_or_default();
            }
            "self" if !path.is_empty() => {}
            part => path.push(part.to_owned()),
        }
        at += 1;
    }
    let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
    found.push((path, name));
    &tokens[at..]
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of a file that refers to another module, except in its tests, and the names of its
/// test modules.
fn references(code: &str) -> (Vec<Reference>, Vec<String>) {
    let tokens = tokens(code);
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    let (mut found, mut tests) = (Vec::new(), Vec::new());
    let (mut depth, mut inline) = (0, Vec::<(String, usize)>::new());
    let mut at = 0;
    while at < tokens.len() {
        let names = || inline.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        match token(at) {
            "cfg" if token(at + 2) == "test" || token(at + 4) == "test" => {
                // `#[cfg(test)] mod name`, perhaps `all(test, …)`, perhaps `pub(crate)`.
                let module = (at..at + 16)
                    .take_while(|at| !["{", ";"].contains(&token(*at)))
                    .find(|at| token(*at) == "mod");
                if let Some(module) = module {
                    at = module + 2;
                    tests.push(token(module + 1).to_owned());
                    let mut open = usize::from(token(at) == "{");
                    while open > 0 && at < tokens.len() {
                        at += 1;
                        open += usize::from(token(at) == "{");
                        open -= usize::from(token(at) == "}");
                    }
                }
            }
            "mod" if token(at + 2) == "{" => inline.push((token(at + 1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.pop_if(|(_, outside)| *outside == depth);
            }
            "use" if token(at + 1) != "<" => {
                let mut paths = Vec::new();
                let rest = use_tree(&tokens[at + 1..], &[], &mut paths);
                at = tokens.len() - rest.len();
                let uses = paths.into_iter();
                found.extend(uses.map(|(path, name)| Reference {
                    inline: names(),
                    path,
                    name: Some(name),
                }));
            }
            // `pub(in crate::engine)` imports nothing.
            "in" if at > 0 && token(at - 1) == "(" => {
                while token(at + 1) != ")" && at < tokens.len() {
                    at += 1;
                }
            }
            first if token(at + 1) == "::" && first.starts_with(|c: char| c.is_lowercase()) => {
                let mut path = vec![token(at).to_owned()];
                while token(at + 1) == "::" && token(at + 2).starts_with(is_part_of_name) {
                    path.push(token(at + 2).to_owned());
                    at += 2;
                }
                found.push(Reference { inline: names(), path, name: None });
            }
            _ => {}
        }
        at += 1;
    }
    (found, tests)
}

/// The modules of `src` except test modules, with their references. The root's name is empty.
pub(crate) fn modules() -> BTreeMap<Module, Vec<Reference>> {
    fn read(file: &Path, module: Module, all: &mut BTreeMap<Module, Vec<Reference>>) {
        let code = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let (references, tests) = references(&code);
        if file.ends_with("mod.rs") || file.ends_with("lib.rs") {
            let mut entries: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
            entries.sort_by_key(|entry| entry.as_ref().unwrap().path());
            for path in entries.into_iter().map(|entry| entry.unwrap().path()) {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                if ["mod", "lib", "main"].contains(&&*name) || tests.contains(&name) {
                    continue;
                }
                let file = if path.is_dir() { path.join("mod.rs") } else { path };
                read(&file, [&module[..], &[name]].concat(), all);
            }
        }
        all.insert(module, references);
    }
    let mut all = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    read(&root, Vec::new(), &mut all);
    all
}

/// The module that contains the item at `path`, as seen from `module`; `None` for another crate.
fn target(
    all: &BTreeMap<Module, Vec<Reference>>,
    module: &[String],
    path: &[String],
) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => return target(all, &[], rest),
        "self" => return target(all, module, rest),
        "super" => return target(all, &module[..module.len().checked_sub(1)?], rest),
        _ => {}
    }
    let child = [module, std::slice::from_ref(first)].concat();
    if all.contains_key(&child) {
        return Some(target(all, &child, rest).unwrap_or(child));
    }
    // An item that the module itself imports.
    let reexport = all.get(module)?.iter().find(|reference| {
        reference.inline.is_empty()
            && reference.name.as_ref() == Some(first)
            && reference.path != path
    });
    match reexport {
        Some(reexport) => {
            let found = target(all, module, &reexport.path)?;
            // A module that a `use` brings into scope, or else an item of the found module.
            let is_module = found.last() == reexport.path.last() && all.contains_key(&found);
            let inner = is_module.then(|| target(all, &found, rest)).flatten();
            Some(inner.unwrap_or(found))
        }
        None => (!module.is_empty()).then(|| module.to_vec()),
    }
}

/// A path from the crate's root; empty if `path` does not start with `crate`, `self` or `super`.
fn absolute(module: &[String], path: &[String]) -> Module {
    let mut whole = match path[0].as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return Vec::new(),
    };
    for part in path {
        match part.as_str() {
            "crate" | "self" => {}
            "super" => drop(whole.pop()),
            name => whole.push(name.to_owned()),
        }
    }
    whole
}

/// The imports of each module. Imports from parent modules do not count.
fn imports(all: &BTreeMap<Module, Vec<Reference>>) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut found = BTreeMap::new();
    for (module, references) in all {
        let mut targets = BTreeSet::new();
        for Reference { inline, path, .. } in references {
            let starts = ["crate", "super", "self"].contains(&path[0].as_str());
            let from = [&module[..], inline].concat();
            let child = [&module[..], &path[..1]].concat();
            let is_imported = || {
                references.iter().any(|other| {
                    other.name.as_ref() == path.first()
                        && other.path != *path
                        && other.inline.is_empty()
                })
            };
            if let Some(target) = Some(())
                .filter(|()| starts || all.contains_key(&child) || is_imported())
                .and_then(|()| target(all, &from, path))
                && all.contains_key(&target)
                && !module.starts_with(&target)
            {
                targets.insert(target);
            }
        }
        found.insert(module.clone(), targets);
    }
    found
}

/// Groups of modules that import each other, directly or indirectly.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<&Module>> {
    let reachable = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Module> = imports[from].iter().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(&imports[module]);
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (module, reachable(module))).collect();
    let mut found: Vec<BTreeSet<&Module>> = Vec::new();
    for (module, seen) in &reach {
        let circle: BTreeSet<&Module> =
            seen.iter().copied().filter(|other| reach[other].contains(module)).collect();
        if circle.contains(module) && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let imports = imports(&modules());
    for leaf in ["model::arena", "engine::types", "ui::theme", "cli::inputs", "words::notes"] {
        let leaf: Module = leaf.split("::").map(str::to_owned).collect();
        assert!(imports.values().any(|targets| targets.contains(&leaf)), "no imports of {leaf:?}");
    }
    let circles = circles(&imports);
    let names: Vec<Vec<String>> = circles
        .iter()
        .map(|circle| circle.iter().map(|module| module.join("::")).collect())
        .collect();
    assert_eq!(names, Vec::<Vec<String>>::new());
}

#[test]
fn nothing_in_the_engine_imports_its_facade() {
    let all = modules();
    let mut found = Vec::new();
    for (module, references) in &all {
        for Reference { inline, path, .. } in references {
            let from = [&module[..], inline].concat();
            let whole = absolute(&from, path);
            let is_inside = module.len() > 1 && module[0] == "engine" && !whole.is_empty();
            let is_of_facade = whole.first().is_some_and(|first| first == "engine")
                && !all.contains_key(&whole[..whole.len().min(2)]);
            if is_inside && (is_of_facade || whole == ["engine"]) {
                found.push(format!("{}: {}", module.join("::"), path.join("::")));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
