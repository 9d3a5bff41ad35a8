//! `partita serve`: the library over HTTP.

use std::{
    io::IsTerminal as _,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::ExitCode,
};

use qrcode::{QrCode, render::unicode::Dense1x2};
use serde_json::json;

use crate::{
    cli::{
        at_least_one,
        output::{Output, note},
        parse_memory,
        reason::Reason,
    },
    engine::settings::Flags,
    i18n::fl,
    serve::{self, Failure, Limits, Options, Ready, Tls, TlsFault},
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Address to listen on; others than this computer's own need a token, which is made at the first
    /// start and shown once as a link
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8077)]
    port: u16,
    /// Name of this server in addresses, such as music.example.org; may be repeated
    #[arg(long = "name", value_name = "NAME", value_parser = parse_name)]
    names: Vec<String>,
    /// Ask clients on this computer for the token, too: a proxy may pass on those of others
    #[arg(long)]
    token: bool,
    /// Replace the token with a new one
    #[arg(long)]
    new_token: bool,
    /// Certificate for HTTPS, a PEM file
    #[arg(long, value_name = "FILE", requires = "private_key")]
    certificate: Option<PathBuf>,
    /// Private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
    /// Maximum size of an uploaded file [default: 2G]
    #[arg(long, value_name = "BYTES", value_parser = parse_memory)]
    max_upload: Option<u64>,
    /// Maximum size of all uploaded files together [default: what the disk has]
    #[arg(long, value_name = "BYTES", value_parser = parse_memory)]
    max_disk: Option<u64>,
    /// Maximum number of songs in the library [default: 10000]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    max_songs: Option<usize>,
    /// Maximum number of open connections [default: 512]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    max_connections: Option<usize>,
}

/// Parses `--name music.example.org`.
fn parse_name(text: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_name = !text.is_empty() && text.chars().all(is_part);
    is_name.then(|| text.to_owned()).ok_or_else(|| fl!(serve_expected_name).to_owned())
}

pub(in crate::cli) fn run(
    arguments: Arguments,
    flags: Flags,
    home: PathBuf,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let usual = Limits::default();
    let limits = Limits {
        upload_bytes: arguments.max_upload.unwrap_or(usual.upload_bytes),
        uploads_bytes: arguments.max_disk,
        songs: arguments.max_songs.unwrap_or(usual.songs),
        connections: arguments.max_connections.unwrap_or(usual.connections),
    };
    let tls = arguments.certificate.zip(arguments.private_key);
    let options = Options {
        home,
        flags,
        address: arguments.address,
        port: arguments.port,
        names: arguments.names,
        requires_token: arguments.token,
        new_token: arguments.new_token,
        tls: tls.map(|(certificate, key)| Tls { certificate, key }),
        limits,
    };
    match serve::run(options, |ready| show(ready, output)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Failure::Engine(problem)) => Err(problem.into()),
        Err(failure) => Err(Reason::new(|| text_of(&failure)).into()),
    }
}

/// Prints the address, and a new token's link, also as a code for a phone's camera.
fn show(ready: &Ready, output: &Output) {
    let link = ready.link();
    let json = json!({
        "url": ready.url,
        "link": link,
        "needs_token": ready.needs_token,
        "token": ready.new_token,
    });
    output.result(&link, &json);
    if ready.new_token.is_some() {
        note(fl!(serve_new_token));
        let code = QrCode::new(&link).ok().filter(|_| std::io::stderr().is_terminal());
        if let Some(code) = code {
            note(&code.render::<Dense1x2>().build());
        }
    } else if ready.needs_token {
        note(fl!(serve_old_token));
    }
}

fn text_of(failure: &Failure) -> String {
    match failure {
        Failure::Engine(problem) => words::problem(problem),
        Failure::InUse => fl!(serve_in_use).to_owned(),
        Failure::Address { address, cause } => {
            let cause = words::system_error(cause);
            fl!(serve_address, address = address, cause = cause)
        }
        Failure::Tls(TlsFault::Read(path, cause)) => {
            let (path, cause) = (path.display().to_string(), words::system_error(cause));
            fl!(problem_read, path = path, cause = cause)
        }
        Failure::Tls(TlsFault::Empty(path)) => {
            fl!(serve_no_pem, path = path.display().to_string())
        }
        Failure::Tls(TlsFault::Unfit(cause)) => fl!(serve_tls, cause = cause),
        Failure::Start(cause) => fl!(problem_no_thread, cause = words::system_error(cause)),
    }
}
