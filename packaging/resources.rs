//! Writes the files of packages that follow from the program: man pages, completions, and the icon in
//! every size. `cargo run --example resources -- FOLDER`. Not the packages; see `packaging/*.sh`.

use std::{env, fs, io, path::Path};

use clap_complete::{Shell, generate_to};
use partita::{cli, ui::platform::icon};

mod icons;

/// Edges of the icons of a desktop theme, in pixels.
const SIZES: [u32; 8] = [16, 24, 32, 48, 64, 128, 256, 512];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args_os().nth(1).ok_or("expected a folder to write to")?;
    let folder = Path::new(&folder);
    man_pages(&folder.join("man"))?;
    completions(&folder.join("completions"))?;
    for edge in SIZES {
        let place = folder.join(format!("icons/hicolor/{edge}x{edge}/apps"));
        fs::create_dir_all(&place)?;
        fs::write(place.join("partita.png"), png(edge)?)?;
    }
    fs::write(folder.join("icons/partita.ico"), icons::ico(png)?)?;
    fs::write(folder.join("icons/partita.icns"), icons::icns(png)?)?;
    Ok(())
}

/// Writes a page for the program, and one for each command.
fn man_pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(cli::command(), folder)
}

fn completions(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
        generate_to(shell, &mut cli::command(), "partita", folder)?;
    }
    Ok(())
}

fn png(edge: u32) -> image::ImageResult<Vec<u8>> {
    icons::png(icon::drawn(edge))
}
