//! Benchmark of the server under load: `cargo bench --bench clients -- [--weights FILE] [--clients N]
//! [--rounds N] [--seconds N]`.
//!
//! Serves a temporary data folder with the default model, or other weights. In turn without and with
//! clients, two songs of N seconds are separated. Each client lists the songs or the jobs once a
//! second on its own connection. Prints the latency of the answers and both times of the separation.
//! The clients run on the same processor; their own processor time is printed too.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use partita::engine::{SAMPLE_RATE, default_home};
use serde_json::Value;
use tempfile::TempDir;

const USAGE: &str = "[--weights FILE] [--clients N] [--rounds N] [--seconds N]";

/// Time between two requests of a client.
const PERIOD: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let mut weights = default_home()?.join("models/htdemucs.safetensors");
    let (mut clients, mut rounds, mut seconds) = (200, 3, 30);
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let value = words.next().context(USAGE)?;
        match word.as_str() {
            "--weights" => weights = PathBuf::from(value),
            "--clients" => clients = value.parse()?,
            "--rounds" => rounds = value.parse()?,
            "--seconds" => seconds = value.parse()?,
            _ => bail!(USAGE),
        }
    }
    let server = Server::start(&weights)?;
    let songs = [song(seconds, 1), song(seconds, 2)];
    let (mut alone, mut together, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    server.separate(&songs)?; // loads the model
    for round in 0..rounds {
        // The order alternates, so that a drift of the machine's speed cancels out.
        for is_alone in if round % 2 == 0 { [true, false] } else { [false, true] } {
            if is_alone {
                alone.push(server.separate(&songs)?);
            } else {
                let load = Load::run(&server, clients, || server.separate(&songs))?;
                println!("{}", load.report());
                together.push(load.result);
                latencies.extend(load.latencies);
            }
        }
    }
    latencies.sort_unstable();
    println!("{clients} clients, all rounds: {}", quantiles(&latencies));
    let (alone, together) = (median(&mut alone), median(&mut together));
    println!(
        "two songs of {seconds} s: {alone:.2} s without clients, {together:.2} s with them, ratio {:.3}",
        together / alone
    );
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The quantiles of sorted latencies.
fn quantiles(sorted: &[Duration]) -> String {
    let at = |part: f64| {
        let index = (part * sorted.len() as f64) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let text = |part| format!("{:.1} ms", 1e3 * at(part).as_secs_f64());
    format!(
        "{} answers, p50 {}, p99 {}, slowest {}",
        sorted.len(),
        text(0.5),
        text(0.99),
        text(1.0)
    )
}

/// A WAV file of noise with a beat, in memory; it depends on the seed.
fn song(seconds: u32, seed: u32) -> Vec<u8> {
    let frames = seconds * SAMPLE_RATE;
    let bytes = 4 * frames;
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend(SAMPLE_RATE.to_le_bytes());
    file.extend((4 * SAMPLE_RATE).to_le_bytes());
    file.extend(b"\x04\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    let mut noise = seed;
    for frame in 0..frames {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let beat = 1.0 - (frame % (SAMPLE_RATE / 2)) as f32 / (SAMPLE_RATE / 2) as f32;
        let sample = (beat * ((noise >> 16) as f32 - 32_768.0) / 4.0) as i16;
        file.extend(sample.to_le_bytes());
        file.extend(sample.to_le_bytes());
    }
    file
}

/// The program as a server of a temporary data folder.
struct Server {
    child: Child,
    address: String,
    _home: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    fn start(weights: &Path) -> Result<Self> {
        let home = tempfile::tempdir()?;
        fs::create_dir(home.path().join("models"))?;
        fs::copy(weights, home.path().join("models/htdemucs.safetensors"))
            .with_context(|| format!("{}: run ./x model install", weights.display()))?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_partita"))
            .args(["serve", "--port", "0"])
            .env("PARTITA_HOME", home.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().context("the server has no output")?);
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            ensure!(stdout.read_line(&mut line)? > 0, "the server does not start");
        }
        let link = line.trim().rsplit(' ').next().unwrap_or_default();
        let address = link.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Ok(Self { child, address, _home: home })
    }

    /// Imports the songs, separates them, and resets the library. Returns the seconds of the separation.
    fn separate(&self, songs: &[Vec<u8>]) -> Result<f64> {
        let mut connection = Connection::open(&self.address)?;
        let mut ids = Vec::new();
        for song in songs {
            let head =
                b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n";
            let body = [&head[..], song, b"\r\n--b--\r\n"].concat();
            let answer =
                connection.send("POST", "songs", "multipart/form-data; boundary=b", &body)?;
            ids.push(answer["songs"][0]["id"].as_i64().context("the import failed")?);
        }
        let start = Instant::now();
        for id in &ids {
            connection.send("POST", &format!("songs/{id}/jobs"), "application/json", b"{}")?;
        }
        for id in &ids {
            loop {
                let progress = connection.get(&format!("songs/{id}/progress"))?;
                match progress["job"]["state"].as_str() {
                    Some("done") => break,
                    Some("waiting" | "running") => thread::sleep(Duration::from_millis(100)),
                    _ => bail!("unexpected end of a job: {progress}"),
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        connection.send("POST", "reset", "application/json", b"{\"confirm\":\"reset\"}")?;
        Ok(seconds)
    }
}

/// A kept connection to the server.
struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned() })
    }

    fn get(&mut self, path: &str) -> Result<Value> {
        let (_, body) = self.exchange("GET", path, "", &[])?;
        Ok(serde_json::from_slice(&body)?)
    }

    fn send(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Value> {
        let (status, body) = self.exchange(method, path, kind, body)?;
        let text = String::from_utf8_lossy(&body);
        ensure!((200..300).contains(&status), "{method} {path}: {status}: {text}");
        Ok(serde_json::from_slice(&body)?)
    }

    /// Sends a request, and returns the status and the body of the answer.
    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<(u16, Vec<u8>)> {
        let mut head = format!("{method} /api/v1/{path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if !kind.is_empty() {
            write!(head, "Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len())?;
        }
        head += "\r\n";
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no answer")?.parse()?;
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the answer is truncated");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// Measurements of the clients while `result` was computed.
struct Load<T> {
    result: T,
    latencies: Vec<Duration>,
    failures: usize,
    clients_seconds: f64,
}

impl<T> Load<T> {
    /// Runs clients until `work` ends.
    fn run(server: &Server, clients: usize, work: impl FnOnce() -> Result<T>) -> Result<Self> {
        let (is_over, before) = (AtomicBool::new(false), processor_seconds());
        let (result, measured) = thread::scope(|scope| {
            let is_over = &is_over;
            let client = |index| client(&server.address, index, clients, is_over);
            let threads: Vec<_> =
                (0..clients).map(|index| scope.spawn(move || client(index))).collect();
            let result = work();
            is_over.store(true, Ordering::Relaxed);
            (
                result,
                threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>(),
            )
        });
        let mut load = Self {
            result: result?,
            latencies: Vec::new(),
            failures: 0,
            clients_seconds: processor_seconds() - before,
        };
        for measured in measured {
            let (latencies, failures) = measured?;
            load.latencies.extend(latencies);
            load.failures += failures;
        }
        load.latencies.sort_unstable();
        Ok(load)
    }

    fn report(&self) -> String {
        format!(
            "{}, {} failed; the clients used {:.2} s of processor time",
            quantiles(&self.latencies),
            self.failures,
            self.clients_seconds
        )
    }
}

/// Sends a request each second, at another time than the other clients. Returns the latencies, and the
/// number of failures.
fn client(
    address: &str,
    index: usize,
    clients: usize,
    is_over: &AtomicBool,
) -> Result<(Vec<Duration>, usize)> {
    let (mut latencies, mut failures) = (Vec::new(), 0);
    let mut connection = Connection::open(address)?;
    let mut next = Instant::now() + PERIOD.mul_f64(index as f64 / clients as f64);
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        let path = if index.is_multiple_of(2) { "songs" } else { "jobs" };
        let (status, _) = connection.exchange("GET", path, "", &[])?;
        latencies.push(start.elapsed());
        failures += usize::from(status != 200);
        next += PERIOD;
    }
    Ok((latencies, failures))
}

/// Processor time of this process in seconds; 0 where the system does not say.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
