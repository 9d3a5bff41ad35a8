//! Receives the bytes of an upload from a request's body, at the client's pace.

use std::{future::Future, io, path::PathBuf, sync::atomic::Ordering, time::Duration};

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
};

use super::{PART, Record};
use crate::{
    engine::Problem,
    serve::{App, fault::Fault},
};

/// Time for the next bytes of a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the next bytes of a client.
///
/// # Errors
/// [`Fault::Slow`] if they take too long.
pub(in crate::serve) async fn in_time<T>(next: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, next).await.map_err(|_| Fault::Slow)
}

/// Exclusive right to write an upload. Bytes that were written count, also if the request fails.
pub(in crate::serve) struct Writer<'a> {
    app: &'a App,
    id: String,
    path: PathBuf,
    file: File,
    received: u64,
    most: u64,
    is_announced: bool,
}

impl<'a> Writer<'a> {
    /// Takes the right, to go on at byte `offset`.
    ///
    /// # Errors
    /// Another request has the right, or `offset` is not the number of bytes received.
    pub async fn open(app: &'a App, record: &Record, offset: u64) -> Result<Self, Fault> {
        let mut taken = Err(Fault::UnknownThing { what: "upload", id: record.id.clone() });
        app.uploads.change(&record.id, |record| {
            taken = match record {
                Record { is_busy: true, .. } => Err(Fault::UploadBusy),
                Record { received, .. } if *received != offset => {
                    Err(Fault::Offset { expected: *received })
                }
                record => {
                    record.is_busy = true;
                    Ok(())
                }
            };
        });
        taken?;
        let path = app.uploads.folder_of(&record.id).join(PART);
        let opened = async {
            let mut file = OpenOptions::new().write(true).open(&path).await?;
            // After a crash, the file may have bytes that no answer has confirmed.
            file.set_len(offset).await?;
            file.seek(io::SeekFrom::Start(offset)).await?;
            Ok::<_, io::Error>(file)
        };
        let id = record.id.clone();
        match opened.await {
            Ok(file) => {
                let (most, is_announced) = (record.bytes, record.is_resumable);
                Ok(Self { app, id, path, file, received: offset, most, is_announced })
            }
            Err(error) => {
                app.uploads.change(&id, |record| record.is_busy = false);
                Err(Problem::write(&path, error).into())
            }
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// There are more bytes than were announced, or the disk fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.received + bytes.len() as u64 > self.most {
            let most = self.most;
            return Err(if self.is_announced {
                Fault::TooLong { announced: most }
            } else {
                Fault::TooLarge { most }
            });
        }
        self.file.write_all(bytes).await.map_err(|e| Problem::write(&self.path, e))?;
        self.received += bytes.len() as u64;
        self.app.metrics.received_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Writes everything to the disk. Returns the number of bytes received in all.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn close(mut self) -> Result<u64, Fault> {
        let written = async {
            self.file.flush().await?;
            self.file.sync_data().await
        };
        written.await.map_err(|e| Problem::write(&self.path, e))?;
        let received = self.received;
        self.app.uploads.change(&self.id, |record| record.received = received);
        Ok(received)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.app.uploads.change(&self.id, |record| record.is_busy = false);
    }
}

/// Appends a body to an upload. What has arrived is kept if the client stops. Returns the number of
/// bytes received in all.
///
/// # Errors
/// The errors of [`Writer`]; the client sends too slowly.
pub(in crate::serve) async fn receive_part(
    mut writer: Writer<'_>,
    body: Body,
) -> Result<u64, Fault> {
    let mut stream: BodyDataStream = body.into_data_stream();
    let result = loop {
        match in_time(stream.next()).await {
            Ok(Some(Ok(bytes))) => {
                if let Err(fault) = writer.write(&bytes).await {
                    break Err(fault);
                }
            }
            // The client went away; it asks for the offset when it comes back.
            Ok(Some(Err(error))) => break Err(Fault::Request(error.to_string())),
            Ok(None) => break Ok(()),
            Err(slow) => break Err(slow),
        }
    };
    let received = writer.close().await?;
    result.map(|()| received)
}
