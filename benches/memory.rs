//! The memory of a process, where the system reports it (Linux).

/// The peak memory of a process, `self` or a process id, in bytes.
pub fn high_water_mark(process: &str) -> Option<u64> {
    field(process, "VmHWM:")
}

/// A size of a process in bytes, by the name in the system's list, such as `VmRSS:`.
pub fn field(process: &str, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kb: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kb * 1024)
}
