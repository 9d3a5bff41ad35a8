//! Tests of the whole program: one binary, one module a subject.

#![cfg_attr(windows, expect(dead_code, unused_imports, reason = "tests for Unix alone use them"))]

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod archive;
#[cfg(test)]
mod archive_rounds;
#[cfg(test)]
mod audio_tracks;
#[cfg(test)]
mod bags;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod concurrent_processes;
#[cfg(test)]
mod data_folder;
#[cfg(test)]
mod decode;
#[cfg(test)]
#[cfg(target_os = "linux")] // X11
mod desktop;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod environment_changes;
#[cfg(test)]
mod export;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod help;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod inputs;
mod jobs;
#[cfg(test)]
mod language;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod player;
#[cfg(test)]
mod power_loss;
#[cfg(test)]
mod reproducible;
#[cfg(test)]
#[cfg(target_os = "linux")] // signals, /proc, Chromium
mod serve;
#[cfg(test)]
mod sigkill;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod stdout;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod tracks;
#[cfg(test)]
mod ui;
#[cfg(test)]
mod unreadable;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod words;
