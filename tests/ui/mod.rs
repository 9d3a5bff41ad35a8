//! The window, worked through its accessibility tree, and pictures of it.

mod drag;
mod export;
mod export_cards;
mod files;
mod languages;
mod pictures;
mod raster;
mod real;
mod stage;
mod work;
