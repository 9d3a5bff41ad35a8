//! The window, worked through its accessibility tree, and pictures of it.

mod pictures;
mod raster;
mod stage;
mod work;
