//! The window, worked through its accessibility tree, and pictures of it.

mod files;
mod pictures;
mod raster;
mod real;
mod stage;
mod work;
