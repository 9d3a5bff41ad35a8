//! Embeds the messages of every language under `assets/i18n`, and makes a function of each English
//! one, so that the compiler checks ids and arguments. Not here: the look-up, see `src/i18n`. On
//! Windows, it also embeds the icon, the version and the manifest in the program.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

#[path = "src/i18n/entries.rs"]
mod entries;

use entries::{Entry, Kind};

/// The language whose messages are complete by definition.
const REFERENCE: &str = "en";
/// The reference's files of messages that are looked up by id at run time (the command line's help and
/// the web page), so that no functions are made of them.
const BY_ID: [&str; 2] = ["help.ftl", "page.ftl"];
/// Folder of the web page.
const PAGE: &str = "assets/web";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("assets/i18n");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/i18n/entries.rs");
    let mut languages = sorted(root, Path::is_dir)?;
    // English first: it is the default and the fallback.
    languages.sort_by_key(|folder| !folder.ends_with(REFERENCE));
    let messages = messages(&root.join(REFERENCE))?;
    let code = embedded(&languages)? + &functions(&messages)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("messages.rs"), code)?;
    println!("cargo::rerun-if-changed={PAGE}");
    fs::write(Path::new(&out).join("page_assets.rs"), page(Path::new(PAGE))?)?;
    windows_resources()
}

/// The table of the web page's files, by their paths within its folder, and the window's icon and fonts.
fn page(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut code = "static ASSETS: &[Asset] = &[\n".to_owned();
    let mut folders = vec![root.to_owned()];
    let of_window = [
        "icon.png",
        "fonts/Inter-Regular.otf",
        "fonts/Inter-Medium.otf",
        "fonts/Inter-SemiBold.otf",
    ];
    let mut files: Vec<_> =
        of_window.map(|name| (Path::new("assets").join(name), name.to_owned())).into();
    while let Some(folder) = folders.pop() {
        folders.extend(sorted(&folder, Path::is_dir)?);
        for file in sorted(&folder, Path::is_file)? {
            let parts = file.strip_prefix(root)?.components();
            let name: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = name.join("/");
            files.push((file, name));
        }
    }
    for (file, name) in files {
        let kind = match file.extension().and_then(|extension| extension.to_str()) {
            Some("html") => "text/html; charset=utf-8",
            Some("js" | "mjs") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("png") => "image/png",
            Some("svg") => "image/svg+xml",
            Some("otf") => "font/otf",
            Some("webmanifest") => "application/manifest+json",
            // Licences and notes of the modules of others.
            _ => continue,
        };
        let path = std::path::absolute(&file)?;
        let path = path.to_string_lossy();
        writeln!(
            code,
            "Asset {{ name: {name:?}, content_type: {kind:?}, bytes: include_bytes!({path:?}) }},"
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}

/// Icon, version and manifest of the Windows program. The target decides, not the system that builds.
fn windows_resources() -> Result<(), Box<dyn Error>> {
    const MANIFEST: &str = "packaging/windows/partita.manifest";
    const ICON: &str = "assets/icon.ico";
    for file in [MANIFEST, ICON] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return Ok(());
    }
    let mut resources = winresource::WindowsResource::new();
    resources
        .set_icon(ICON)
        .set_manifest_file(MANIFEST)
        .set("ProductName", "Partita")
        .set("FileDescription", "Partita")
        .set("OriginalFilename", "partita.exe")
        .set("LegalCopyright", "MIT licence");
    // Tests and examples do not need them.
    resources.compile_for("partita")?;
    Ok(())
}

/// The wanted entries of a folder, by name.
fn sorted(folder: &Path, is_wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.push(entry?.path());
    }
    found.retain(|path| is_wanted(path));
    found.sort();
    Ok(found)
}

fn files(language: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    sorted(language, |path| path.extension().is_some_and(|extension| extension == "ftl"))
}

/// The entries of the reference that get a function. All entries have distinct ids.
fn messages(folder: &Path) -> Result<Vec<Entry>, Box<dyn Error>> {
    let (mut all, mut ids) = (Vec::new(), BTreeSet::new());
    for file in files(folder)? {
        let found = entries::entries(&fs::read_to_string(&file)?)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for entry in &found {
            if !ids.insert(entry.id.clone()) {
                return Err(format!("{}: {} is there twice", file.display(), entry.id).into());
            }
        }
        if !BY_ID.iter().any(|name| file.ends_with(name)) {
            all.extend(found);
        }
    }
    Ok(all)
}

/// The table of languages with their files.
fn embedded(languages: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut code = format!(
        "/// Every language, English first.\n\
         pub(super) static LANGUAGES: [super::Source; {}] = [\n",
        languages.len()
    );
    for folder in languages {
        let tag = folder.file_name().ok_or("a language has no name")?.to_string_lossy();
        write!(code, "super::Source::new({tag:?}, &[")?;
        for file in files(folder)? {
            let file = std::path::absolute(file)?;
            write!(code, "include_str!({:?}), ", file.to_string_lossy())?;
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    Ok(code)
}

/// A function for each message, and for one with variables the structure of its arguments: fields
/// have names, so that arguments cannot change places when the English text is reworded.
fn functions(messages: &[Entry]) -> Result<String, Box<dyn Error>> {
    let ids: Vec<&str> = messages.iter().map(|entry| &*entry.id).collect();
    let mut code = format!(
        "/// The id of each message, by its index.\npub(super) static IDS: [&str; {}] = {ids:?};\n",
        ids.len()
    );
    for (index, Entry { id, variables, source }) in messages.iter().enumerate() {
        let name = id.replace(['-', '.'], "_");
        if variables.is_empty() {
            write!(
                code,
                "#[doc = {source:?}]\npub(crate) fn {name}() -> &'static str \
                 {{ super::fixed({index}) }}\n"
            )?;
            continue;
        }
        let has_text = variables.values().any(|kind| *kind == Kind::Text);
        let (on_struct, on_use) = if has_text { ("<'a>", "<'_>") } else { ("", "") };
        let (mut fields, mut names, mut values) = (String::new(), String::new(), String::new());
        for (variable, kind) in variables {
            let field = variable.replace('-', "_");
            let of_kind = match kind {
                Kind::Text => "super::Text<'a>",
                Kind::Number => "super::Number",
            };
            write!(fields, "pub {field}: {of_kind}, ")?;
            write!(names, "{field}, ")?;
            write!(values, "({variable:?}, {field}.into()), ")?;
        }
        write!(
            code,
            "#[doc = {source:?}]\npub(crate) struct {name}{on_struct} {{ {fields} }}\n\
             #[doc = {source:?}]\npub(crate) fn {name}({name} {{ {names} }}: {name}{on_use}) -> \
             String {{ super::formatted({index}, [{values}]) }}\n"
        )?;
    }
    Ok(code)
}
