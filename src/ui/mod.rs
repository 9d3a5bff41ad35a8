//! The window. Sends commands, reads events, draws; never waits and never touches a disk.
//!
//! [`run`] opens it. [`app::App`] is its frame, [`state::view_state::ViewState`] what the engine has told,
//! [`state::ui_state::UiState`] what the user has set, [`action::Action`] what the user can ask for. All of it is
//! the main thread's, but for the file dialogs ([`platform::dialogs`]) and the file manager ([`platform::reveal`]).

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

use anyhow::Context as _;
use crossbeam_channel::bounded;

use crate::engine::{
    Config, Engine, Preferences,
    settings::{Flags, WindowPlace},
    system::single_instance::{self, Start},
};
use platform::{drag_out, fonts, icon, window_placement};
use state::engine_link;

/// What the window is opened with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The data folder.
    pub home: PathBuf,
    /// What the command line says of how segments are computed.
    pub flags: Flags,
    /// The terms of the model's weights, shown before they are installed.
    pub terms: String,
    /// Files and folders to add at once.
    pub files: Vec<PathBuf>,
}

/// Starts the engine, opens the window, and returns when it is closed.
///
/// # Errors
/// When there is no display or no OpenGL, or when the engine cannot start.
pub fn run(options: Options) -> anyhow::Result<()> {
    let Options { home, flags, terms, files } = options;
    let mut instance = match single_instance::start(&home, &files) {
        Ok(Start::HandedOver) => return Ok(()),
        Ok(Start::First(instance)) => Some(instance),
        Ok(Start::Unanswered) => None,
        Err(e) => {
            tracing::debug!("{e}");
            None
        }
    };
    let (preferences, notice) = Preferences::load(&home);
    let compute = flags.compute(&preferences);
    // Before the window, so that a library that cannot be opened is not taken for a window that
    // cannot. What the engine tells until then is read with the first frame.
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
        let listening = instance.listen(move |files| {
            // A window that is gone wants no more.
            drop(later.send(files));
            wake();
        });
        if let Err(e) = listening {
            tracing::debug!("later starts open their own windows: {e}");
        }
    }
    let (engine, events) =
        Engine::start(&Config { home: home.clone(), compute, interactive: true, waker })
            .with_context(|| format!("the data folder {} cannot be used", home.display()))?;
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
    // eframe's error is not `Sync`, which `anyhow` wants; its words are.
    opened.map_err(|error| anyhow::anyhow!("{error}")).context(
        "the window could not be opened; the command line does the same without one \
         (`partita separate --help`)",
    )
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
        // Said, because a test build with wgpu among its features would change the default.
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    ask_for_x11(&mut options);
    options
}

/// Files can be dropped on X11 windows alone (winit #1881), so under Wayland it runs on X11 too.
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
