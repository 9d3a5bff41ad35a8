//! The window, operated through its accessibility tree, and snapshots of it.

mod audio_tracks;
mod drag;
mod export;
mod export_cards;
mod files;
mod instruments;
mod jobs;
mod languages;
mod library;
mod models;
mod pictures;
mod pseudo;
mod raster;
mod real;
mod settings;
mod stage;
mod studio;
mod walk;
mod work;
