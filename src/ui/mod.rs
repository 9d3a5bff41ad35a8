//! The window. Sends commands, reads events, and draws; it never waits and never accesses a disk.
//!
//! [`run`] opens the window, and [`app::App`] is its frame. [`state::view_state::ViewState`] is the
//! engine's state as known from its events, [`state::ui_state::UiState`] the state that the user
//! controls, [`action::Action`] a request of the user. Everything runs on the main thread, except
//! for the file dialogs ([`platform::dialogs`]) and the file manager ([`platform::reveal`]).

pub mod action;
pub mod app;
pub mod commands;
pub mod panels;
pub mod platform;
pub mod state;
pub mod theme;
pub mod timeline;
pub mod widgets;
pub mod words;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use crossbeam_channel::bounded;

use crate::engine::{
    Config, Engine, Preferences, Problem,
    settings::{Flags, WindowPlace},
    system::single_instance::{self, Purpose, Start},
};
pub use platform::alert::alert;
use platform::{drag_out, fonts, icon, window_placement};
use state::engine_link;

/// Start options of the window.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The data folder.
    pub home: PathBuf,
    /// How segments are computed, from the command line.
    pub flags: Flags,
    /// The terms of the model's weights, shown before installation.
    pub terms: String,
    /// Files and folders to import at the start.
    pub files: Vec<PathBuf>,
}

/// The reason why the window did not open.
#[derive(Debug)]
pub enum Failure {
    /// The engine could not start, usually because of the data folder.
    Engine(Problem),
    /// The display or OpenGL is missing: the text of the window's library.
    Window(String),
    /// A server holds the data folder; the address of its page, which was opened in the browser.
    Served(String),
}

/// Starts the engine, opens the window, and returns when the window is closed.
///
/// # Errors
/// The display or OpenGL is missing, or the engine cannot start.
pub fn run(options: Options) -> Result<(), Failure> {
    let Options { home, flags, terms, files } = options;
    let mut instance = match single_instance::start(&home, &files) {
        Ok(Start::HandedOver) => return Ok(()),
        Ok(Start::Served(url)) => {
            platform::reveal::open_page(&url);
            return Err(Failure::Served(url));
        }
        Ok(Start::First(instance)) => Some(instance),
        Ok(Start::Unanswered) => None,
        Err(e) => {
            tracing::debug!("{e}");
            None
        }
    };
    let (preferences, notice) = Preferences::load(&home);
    let compute = flags.compute(&preferences);
    // The engine starts before the window, so that a library that cannot be opened is not reported
    // as a window that cannot. The first frame reads the events emitted until then.
    let window = Arc::new(OnceLock::<egui::Context>::new());
    let waker = {
        let window = Arc::clone(&window);
        Arc::new(move || {
            if let Some(ctx) = window.get() {
                ctx.request_repaint();
            }
        })
    };
    let (later, arrivals) = bounded(16);
    if let Some(instance) = &mut instance {
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::clone(&waker) as _;
        let listening = instance.listen(Purpose::Window, move |files| {
            // After the window is closed, later files are discarded.
            drop(later.send(files));
            wake();
        });
        if let Err(e) = listening {
            tracing::debug!("later starts open their own windows: {e}");
        }
    }
    let (engine, events) = Engine::start(&Config { home, compute, interactive: true, waker })
        .map_err(Failure::Engine)?;
    let link = engine_link::EngineLink::to_engine(engine, events);
    let opened = eframe::run_native(
        "partita",
        native_options(&preferences),
        Box::new(move |cc| {
            let ctx = window.get_or_init(|| cc.egui_ctx.clone());
            if let Some(window) = cc.winit_window() {
                window_placement::bring_into_sight(window);
            }
            let mut app = app::App::new(ctx, link, terms);
            app.begin(ctx, preferences, flags, notice);
            app.offer_drag_out(drag_out::is_possible());
            app.expect_arrivals(arrivals);
            fonts::fall_back_on_the_systems(ctx);
            app.import(ctx, files);
            Ok(Box::new(app))
        }),
    );
    drop(instance);
    opened.map_err(|error| Failure::Window(error.to_string()))
}

fn native_options(preferences: &Preferences) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Partita")
        .with_app_id("partita")
        .with_icon(icon::app_icon())
        .with_inner_size(theme::size::WINDOW)
        .with_min_inner_size(theme::size::WINDOW_MIN)
        .with_drag_and_drop(true);
    if let Some(WindowPlace { position, size, is_maximized }) = preferences.window {
        viewport = viewport.with_inner_size(size).with_maximized(is_maximized);
        if let Some(position) = position {
            viewport = viewport.with_position(position);
        }
    }
    let mut options = eframe::NativeOptions {
        viewport,
        // Explicit, because a test build that enables wgpu would change the default.
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    ask_for_x11(&mut options);
    options
}

/// Runs on X11 even under Wayland, because winit supports file drops only there (#1881).
#[cfg(target_os = "linux")]
fn ask_for_x11(options: &mut eframe::NativeOptions) {
    use winit::platform::x11::EventLoopBuilderExtX11 as _;

    if std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty()) {
        options.event_loop_builder = Some(Box::new(|builder| {
            builder.with_x11();
        }));
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_x11(_options: &mut eframe::NativeOptions) {}
