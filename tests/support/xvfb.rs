//! A virtual screen for tests that open the real window: Xvfb, with xdotool for keys and clicks.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A child process that is killed when dropped.
pub struct Ends(pub Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A screen, with its name for `DISPLAY`.
pub struct Screen {
    pub display: String,
    _server: Ends,
}

impl Screen {
    /// Starts a screen; `None` if Xvfb or xdotool is missing.
    pub fn start() -> Option<Self> {
        Command::new("xdotool").arg("version").output().ok()?;
        // Without `-noreset`, the server restarts when its only client leaves, such as xdotool
        // before the window is there, and refuses connections meanwhile.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .arg("-noreset")
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

    /// Sets a command's environment to this screen, with software rendering.
    pub fn shows<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.display).env("LIBGL_ALWAYS_SOFTWARE", "1")
    }

    /// The output of xdotool; `None` if it fails.
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
