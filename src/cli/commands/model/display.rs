//! Progress of an installation, an import or a verification on standard error. Prints no results
//! and knows no models. Runs on the command's thread.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    cli::output::note,
    i18n::{fl, numbers::bytes},
    model::weights::{Progress, Step},
    words::step,
};

/// Progress as text: a bar on a terminal, otherwise a line at intervals.
pub(super) struct Display {
    bar: ProgressBar,
    terminal: bool,
    current: Option<Step>,
    last_line: Instant,
}

impl Display {
    pub(super) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar, terminal, current: None, last_line: Instant::now() }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        let first = self.current.as_ref() != Some(&progress.what);
        if first {
            self.current = Some(progress.what.clone());
        }
        if self.terminal {
            self.draw(progress, first);
        } else if first || self.last_line.elapsed() > Duration::from_secs(2) {
            self.last_line = Instant::now();
            note(&line(progress));
        }
    }

    fn draw(&self, progress: &Progress, first: bool) {
        if let Step::NextOrigin(_) = progress.what {
            self.bar.println(step(&progress.what));
            return;
        }
        if first {
            self.bar.set_style(style(progress.total.is_some()));
            self.bar.set_message(step(&progress.what));
        }
        match progress.total {
            Some(total) => {
                if self.bar.length() != Some(total) {
                    self.bar.set_style(style(true));
                    self.bar.set_length(total);
                }
                self.bar.set_position(progress.done);
            }
            None => self.bar.tick(),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(known: bool) -> ProgressStyle {
    let template = if known {
        "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{msg} {spinner} {elapsed}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn line(progress: &Progress) -> String {
    let (step, done) = (step(&progress.what), bytes(progress.done));
    match progress.total {
        Some(total) => fl!(cli_step_of, step = step, done = done, total = bytes(total)),
        None if progress.done > 0 => fl!(cli_step_done, step = step, done = done),
        None => step,
    }
}
