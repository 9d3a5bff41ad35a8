//! A screen of its own for tests that open the real window: Xvfb, and xdotool for keys and clicks.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// Ends with whoever holds it.
pub struct Ends(pub Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A screen, and its name for `DISPLAY`.
pub struct Screen {
    pub display: String,
    _server: Ends,
}

impl Screen {
    /// `None` where there is no Xvfb or no xdotool.
    pub fn start() -> Option<Self> {
        Command::new("xdotool").arg("version").output().ok()?;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        let server = Ends(server);
        let display = format!(":{}", number.trim());
        (display.len() > 1).then_some(Self { display, _server: server })
    }

    /// The same command on this screen, drawn by the processor.
    pub fn shows<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.display).env("LIBGL_ALWAYS_SOFTWARE", "1")
    }

    /// What xdotool answers, if it does what it is asked for.
    pub fn xdotool(&self, words: &str) -> Option<String> {
        let output = Command::new("xdotool")
            .args(words.split(' '))
            .env("DISPLAY", &self.display)
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    }
}
