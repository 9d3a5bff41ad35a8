//! The files of the packages agree with Cargo.toml, the program and each other. Not here: the packages
//! themselves, which `packaging/check.sh` checks.

use std::{collections::BTreeSet, fs, path::Path};

use partita::ui::platform::icon;

use crate::support::{slashes, walk};

#[path = "../packaging/icons.rs"]
mod icons;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The value of a line `key=value`.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    lines.find(|(name, _)| *name == key).unwrap_or_else(|| panic!("{key} is missing")).1
}

#[test]
fn the_descriptions_are_cargos() {
    let description = env!("CARGO_PKG_DESCRIPTION");
    let desktop = text("packaging/linux/partita.desktop");
    assert_eq!(value(&desktop, "Comment"), description);
    let (summary, _) = description.split_once(',').unwrap();
    let metadata = text("packaging/linux/partita.metainfo.xml.in");
    assert!(metadata.contains(&format!("<summary>{summary}</summary>")));
    let mut first = summary.chars();
    let lower: String = first.next().unwrap().to_lowercase().chain(first).collect();
    assert!(text("packaging/deb.sh").contains(&format!("\nDescription: {lower}\n")));
}

#[test]
fn every_package_starts_the_same_program() {
    let name = env!("CARGO_PKG_NAME");
    assert_eq!(partita::cli::command().get_name(), name);
    let desktop = text("packaging/linux/partita.desktop");
    assert_eq!(value(&desktop, "TryExec"), name);
    assert_eq!(value(&desktop, "Exec"), format!("{name} %F"));
    assert_eq!(value(&desktop, "StartupWMClass"), name);
    assert!(text("src/ui/mod.rs").contains(&format!(".with_app_id(\"{name}\")")));
    let metadata = text("packaging/linux/partita.metainfo.xml.in");
    assert!(metadata.contains(&format!("<binary>{name}</binary>")));
    assert!(text("packaging/windows/partita.nsi").contains(&format!("$INSTDIR\\{name}.exe")));
    let plist = text("packaging/macos/Info.plist.in");
    assert!(plist.contains(&format!("<string>{name}</string>")));
}

/// The versions come from Cargo.toml when a package is made; none is written elsewhere.
#[test]
fn no_file_of_a_package_repeats_the_version() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let is_example = |line: &&str| line.contains("Usage: notes.sh");
                let mut lines = text.lines().filter(|line| !is_example(line));
                let version = env!("CARGO_PKG_VERSION");
                assert!(
                    !lines.any(|line| line.contains(&format!("\"{version}\""))),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

/// Windows' icon is committed, because the build script embeds it before the program can draw it.
/// `UPDATE_SNAPSHOTS=1` rewrites it.
#[test]
fn the_icon_of_windows_is_the_one_that_is_drawn() {
    let drawn = icons::ico(|edge| icons::png(icon::drawn(edge))).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/icon.ico");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), drawn);
}

#[test]
fn the_icon_of_macos_holds_png_files_of_each_size() {
    let file = icons::icns(|edge| icons::png(icon::drawn(edge))).unwrap();
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert!(file.starts_with(b"icns") && number(4) == file.len());
    let (mut at, mut edges) = (8, BTreeSet::new());
    while at < file.len() {
        let picture = image::load_from_memory(&file[at + 8..at + number(at + 4)]).unwrap();
        edges.insert(picture.width());
        at += number(at + 4);
    }
    assert_eq!(edges, BTreeSet::from([16, 32, 64, 128, 256, 512]));
}

/// The libraries that the window loads are in no list of the linker, so that `./x` and both packages
/// name them by hand.
#[test]
fn the_lists_of_the_windows_libraries_agree() {
    let script = text("x");
    let list = script.split_once("window_packages=\"").unwrap().1.split_once('"').unwrap().0;
    let deb = text("packaging/deb.sh");
    let depends: BTreeSet<&str> = deb
        .lines()
        .filter_map(|line| line.strip_prefix("window=\"")?.strip_suffix('"'))
        .flat_map(|line| line.split(", "))
        .filter(|name| *name != "$window")
        .collect();
    // Software rendering is a recommendation.
    let wanted: BTreeSet<&str> =
        list.split_whitespace().filter(|name| *name != "libgl1-mesa-dri").collect();
    assert_eq!(depends, wanted);
    let rpm = text("packaging/linux/partita.spec.in");
    for library in [
        "libX11.so.6",
        "libX11-xcb.so.1",
        "libxcb.so.1",
        "libXcursor.so.1",
        "libXi.so.6",
        "libXrandr.so.2",
        "libXrender.so.1",
        "libxkbcommon.so.0",
        "libxkbcommon-x11.so.0",
        "libGL.so.1",
        "libEGL.so.1",
    ] {
        assert!(rpm.contains(&format!("{library}()(64bit)")), "{library}");
    }
}

#[test]
fn actions_of_the_workflows_are_pinned() {
    for name in ["ci", "release"] {
        let workflow = text(&format!(".github/workflows/{name}.yml"));
        let uses: Vec<&str> =
            workflow.lines().filter_map(|l| l.split_once("uses: ")).map(|(_, a)| a).collect();
        assert!(!uses.is_empty());
        for action in uses {
            let commit = action.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{action}"
            );
        }
    }
}

/// Cargo packs the listed files alone, and a file that is missing is an error for its users.
#[test]
fn the_crate_has_every_file_that_is_compiled_in() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let listed = manifest["package"]["include"].as_array().unwrap();
    let listed: Vec<&str> =
        listed.iter().map(|it| it.as_str().unwrap().trim_matches(['/', '*'])).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    let mut found = 0;
    for source in walk(&root.join("src")) {
        let text = fs::read_to_string(&source).unwrap_or_default();
        let quoted =
            ["include_str!(\"", "include_bytes!(\""].map(|start| text.split(start).skip(1));
        for named in quoted.into_iter().flatten().filter_map(|rest| rest.split('"').next()) {
            let Ok(file) = source.parent().unwrap().join(named).canonicalize() else { continue };
            let file = slashes(file.strip_prefix(&root).unwrap());
            assert!(listed.iter().any(|part| file.starts_with(part)), "{file} is not in the crate");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}
