//! A ZIP archive that is made while a client reads it. Runs on threads for blocking work.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Bytes of a file that are read at once.
const BLOCK_BYTES: u64 = 256 << 10;

/// Bytes that an archive's writer has written and the client has not read.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes an archive block by block. Its files are stored as they are: sound does not get smaller.
pub(super) fn zipped(files: Vec<PathBuf>) -> impl FnMut() -> io::Result<Vec<u8>> + Send + 'static {
    let written = Written::default();
    let mut writer = Some(ZipWriter::new_stream(written.clone()));
    let mut files = files.into_iter();
    let mut current: Option<File> = None;
    move || {
        loop {
            let block = written.take();
            let Some(zip) = writer.as_mut().filter(|_| block.is_empty()) else { return Ok(block) };
            if let Some(file) = &mut current {
                let mut block = Vec::new();
                io::Read::take(&mut *file, BLOCK_BYTES).read_to_end(&mut block)?;
                if block.is_empty() {
                    current = None;
                } else {
                    zip.write_all(&block)?;
                }
                continue;
            }
            match files.next() {
                Some(path) => {
                    let options = SimpleFileOptions::default()
                        .compression_method(CompressionMethod::Stored)
                        .large_file(true);
                    zip.start_file(
                        path.file_name().unwrap_or_default().to_string_lossy(),
                        options,
                    )?;
                    current = Some(File::open(path)?);
                }
                None => {
                    writer.take().map(ZipWriter::finish).transpose()?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn an_archive_holds_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let contents = [vec![7u8; 700_000], Vec::new(), b"small".to_vec()];
        let files: Vec<PathBuf> =
            (0..3).map(|at| folder.path().join(format!("{at} é.wav"))).collect();
        for (path, content) in files.iter().zip(&contents) {
            std::fs::write(path, content).unwrap();
        }
        let mut next = zipped(files);
        let (mut whole, mut most) = (Vec::new(), 0);
        loop {
            let block = next().unwrap();
            if block.is_empty() {
                break;
            }
            most = most.max(block.len());
            whole.extend(block);
        }
        assert!(most < 2 * BLOCK_BYTES as usize, "{most} bytes at once");
        let mut archive = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
        for (at, content) in contents.iter().enumerate() {
            let mut found = Vec::new();
            archive.by_name(&format!("{at} é.wav")).unwrap().read_to_end(&mut found).unwrap();
            assert_eq!(&found, content);
        }
    }
}
