//! A system font for the scripts that the program's own fonts lack: Chinese, Japanese, Korean. A
//! separate thread searches for the font when the first such letter is drawn. If no font is found
//! or the file is corrupt, letters are drawn as boxes.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use egui::{
    Context, FontData,
    epaint::text::{FallbackRequest, FontInsert},
};

use crate::engine::system::threads;

/// The system's font folders. On Windows, the system's folder has any name and disk, and fonts that
/// a user installs without an administrator are in a folder of the user's own.
#[cfg(windows)]
fn folders() -> Vec<PathBuf> {
    let folder = |variable: &str, below: &str| {
        let above = std::env::var_os(variable).filter(|above| !above.is_empty())?;
        Some(Path::new(&above).join(below))
    };
    let system = folder("WINDIR", "Fonts").unwrap_or_else(|| r"C:\Windows\Fonts".into());
    [system].into_iter().chain(folder("LOCALAPPDATA", r"Microsoft\Windows\Fonts")).collect()
}

/// The system's font folders.
#[cfg(not(windows))]
fn folders() -> Vec<PathBuf> {
    let folders = if cfg!(target_os = "macos") {
        ["/System/Library/Fonts", "/Library/Fonts"]
    } else {
        ["/usr/share/fonts", "/usr/local/share/fonts"]
    };
    folders.map(PathBuf::from).to_vec()
}

/// Prefixes of the font files' names, best first. Most fonts cover all three scripts; Windows
/// splits them over several, so the first existing file of each line is used.
#[cfg(windows)]
const NAMES: &[&[&str]] = &[&["msyh", "YuGothM", "simsun"], &["malgun"]];
#[cfg(not(windows))]
const NAMES: &[&[&str]] = &[&[
    "NotoSansCJK-Regular",
    "NotoSansCJK",
    "SourceHanSans-Regular",
    "wqy-microhei",
    "wqy-zenhei",
    "DroidSansFallback",
    "Arial Unicode",
    "PingFang",
]];

/// Maximum depth of nested font folders.
const DEPTH: usize = 4;

/// Makes `ctx` use a system font for letters that no other font has.
pub fn fall_back_on_the_systems(ctx: &Context) {
    let waiting = Mutex::new(Some(ctx.clone()));
    ctx.add_font_provider(Arc::new(move |request: &FallbackRequest<'_>| {
        if request.cluster.starts_with(is_east_asian)
            && let Some(ctx) = waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            let work = move || add(&ctx, &files_in(&folders()));
            match threads::start("fonts", work) {
                Ok(thread) => thread.detach(), // it only reads
                Err(error) => tracing::warn!("the system's fonts are not read: {error}"),
            }
        }
        None
    }));
}

fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Adds the fonts through providers: a provider skips a font that cannot be parsed, while a font
/// definition would panic.
fn add(ctx: &Context, files: &[PathBuf]) {
    for file in files {
        let Ok(bytes) = fs::read(file) else { continue };
        // The font lives as long as the program; owned data would be copied for each family and
        // letter.
        let data = FontData::from_static(bytes.leak());
        let font = FontInsert::new(&file.to_string_lossy(), data, Vec::new());
        ctx.add_font_provider(Arc::new(move |request: &FallbackRequest<'_>| {
            request.cluster.starts_with(is_east_asian).then(|| font.clone())
        }));
    }
}

/// The best existing font file of each line of [`NAMES`].
fn files_in(folders: &[impl AsRef<Path>]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in folders {
        walk(folder.as_ref(), DEPTH, &mut all);
    }
    all.sort();
    let best = |names: &&[&str]| {
        let is_called = |file: &&PathBuf, name: &str| {
            file.file_name().is_some_and(|file_name| file_name.to_string_lossy().starts_with(name))
        };
        names.iter().find_map(|name| all.iter().find(|file| is_called(file, name)).cloned())
    };
    NAMES.iter().filter_map(best).collect()
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            walk(&path, depth - 1, found);
        } else if matches!(path.extension().and_then(OsStr::to_str), Some("ttc" | "ttf" | "otf")) {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(windows)]
    fn the_systems_fonts_are_below_its_own_folder() {
        let windows = PathBuf::from(std::env::var_os("WINDIR").unwrap());
        assert_eq!(folders()[0], windows.join("Fonts"));
    }

    #[test]
    #[cfg(not(windows))]
    fn the_best_font_that_is_there_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        for name in ["a/wqy-zenhei.ttc", "NotoSansCJK-Regular.txt", "DejaVuSans.ttf"] {
            fs::write(at(name), b"x").unwrap();
        }
        assert_eq!(files_in(&[folder.path()]), [at("a/wqy-zenhei.ttc")]);
        for name in ["a/NotoSansCJK-Black.ttc", "a/b/NotoSansCJK-Regular.ttc"] {
            fs::write(at(name), b"x").unwrap();
        }
        assert_eq!(files_in(&[folder.path()]), [at("a/b/NotoSansCJK-Regular.ttc")]);
        assert_eq!(files_in(&[at("nowhere")]), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_broken_font_leaves_boxes() {
        let folder = tempfile::tempdir().unwrap();
        let inter = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
        let files = ["text.ttf", "short.ttf", "empty.ttf"].map(|name| folder.path().join(name));
        for (file, bytes) in files.iter().zip([b"invalid".as_slice(), &inter[..3000], b""]) {
            fs::write(file, bytes).unwrap();
        }
        let ctx = Context::default();
        add(&ctx, &files);
        for _ in 0..2 {
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                ui.label("夜に駆ける 한국어");
            });
            output.textures_delta.clear();
            assert!(!output.shapes.is_empty());
        }
    }
}
