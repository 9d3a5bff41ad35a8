//! Limits on threads and memory of this process, as set by a cluster scheduler, a container or the
//! system, with their origin.
//!
//! Reads the system and the environment without changing them. Hard limits always apply; the
//! numbers of a scheduler also apply where it does not enforce them.

/// A limit and its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T> {
    /// Number of threads, or bytes.
    pub amount: T,
    /// Origin for display: "`SLURM_CPUS_PER_TASK`", "cgroup".
    pub from: &'static str,
}

/// Reads an environment variable.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Maximum number of compute threads.
pub fn threads() -> Limit<usize> {
    // The processors available to the thread (cpuset, taskset), and the cgroup's quota.
    let confined = std::thread::available_parallelism().map_or(1, usize::from);
    let confined = Limit { amount: confined, from: "processors, affinity and cgroup" };
    least([Some(confined), stated_threads(&variable)]).unwrap_or(confined)
}

/// Maximum memory in bytes; `None` without a limit.
pub fn memory() -> Option<Limit<u64>> {
    least([confined_memory(), stated_memory(&variable)])
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Smallest of several limits; the first of equal ones.
fn least<T: Ord + Copy, const N: usize>(limits: [Option<Limit<T>>; N]) -> Option<Limit<T>> {
    limits.into_iter().flatten().min_by_key(|limit| limit.amount)
}

/// Number of threads that a scheduler assigns to each task.
fn stated_threads(variable: Variable<'_>) -> Option<Limit<usize>> {
    const NAMES: [&str; 6] = [
        "RAYON_NUM_THREADS", // for users who know the implementation
        "SLURM_CPUS_PER_TASK",
        "NSLOTS",           // Grid Engine
        "NCPUS",            // PBS
        "LSB_DJOB_NUMPROC", // LSF
        "OMP_NUM_THREADS",  // set by Ray and by users
    ];
    let number =
        |name: &str| variable(name)?.trim().parse::<usize>().ok().filter(|&threads| threads > 0);
    let stated = NAMES.iter().find_map(|&from| Some(Limit { amount: number(from)?, from }));
    // Without a number per task, the job's processors on this node are divided among its tasks
    // here.
    stated.or_else(|| {
        let tasks = ["SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"];
        let tasks = tasks.iter().find_map(|&name| first_number(&variable(name)?)).unwrap_or(1);
        let on_node = number("SLURM_CPUS_ON_NODE")?;
        let amount = (on_node / usize::try_from(tasks).ok()?.max(1)).max(1);
        Some(Limit { amount, from: "SLURM_CPUS_ON_NODE" })
    })
}

/// Memory that Slurm assigns to the job on this node, or to each of its processors. Zero means all
/// of the node's memory.
fn stated_memory(variable: Variable<'_>) -> Option<Limit<u64>> {
    let megabytes = |name: &str| first_number(&variable(name)?).filter(|&megabytes| megabytes > 0);
    let limit = |megabytes: u64, from| Limit { amount: megabytes.saturating_mul(1 << 20), from };
    if let Some(of_node) = megabytes("SLURM_MEM_PER_NODE") {
        return Some(limit(of_node, "SLURM_MEM_PER_NODE"));
    }
    let each = megabytes("SLURM_MEM_PER_CPU")?;
    let processors = ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"];
    let processors = processors.iter().find_map(|&name| first_number(&variable(name)?));
    Some(limit(each.saturating_mul(processors.unwrap_or(1)), "SLURM_MEM_PER_CPU"))
}

/// Parses the number at the start of a text: Slurm writes "4(x2)" for four on each of two nodes.
fn first_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// Memory limit of this process's cgroup or its ancestors (version 1 or 2); without one, the total
/// memory.
fn confined_memory() -> Option<Limit<u64>> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let only = ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(only, true, ProcessRefreshKind::nothing());
    let of_process = system.process(pid).and_then(sysinfo::Process::cgroup_limits);
    let of_root = system.cgroup_limits();
    let limits = of_process.into_iter().chain(of_root).map(|limits| limits.total_memory);
    Some(Limit { amount: limits.min()?, from: "cgroup" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(set: &[(&str, &str)], look: impl Fn(Variable<'_>) -> T) -> T {
        let find = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        look(&find)
    }

    #[test]
    fn reads_slurms_threads_per_task() {
        let threads =
            |set: &[(&str, &str)]| with(set, |v| stated_threads(v).map(|limit| limit.amount));
        assert_eq!(threads(&[]), None);
        assert_eq!(threads(&[("SLURM_CPUS_PER_TASK", "3"), ("SLURM_CPUS_ON_NODE", "64")]), Some(3));
        assert_eq!(threads(&[("SLURM_CPUS_ON_NODE", "64")]), Some(64), "a single task gets all");
        let shared = [("SLURM_CPUS_ON_NODE", "64"), ("SLURM_TASKS_PER_NODE", "16(x2),3")];
        assert_eq!(threads(&shared), Some(4));
        let crowded = [("SLURM_CPUS_ON_NODE", "2"), ("SLURM_STEP_TASKS_PER_NODE", "8")];
        assert_eq!(threads(&crowded), Some(1), "at least one");
        assert_eq!(threads(&[("NSLOTS", "many"), ("OMP_NUM_THREADS", "2")]), Some(2));
        assert_eq!(threads(&[("OMP_NUM_THREADS", "0")]), None);
    }

    #[test]
    fn reads_slurms_memory() {
        let memory =
            |set: &[(&str, &str)]| with(set, |v| stated_memory(v).map(|limit| limit.amount));
        assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "2048")]), Some(2 << 30));
        assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "0")]), None, "all of the node's memory");
        let each = [("SLURM_MEM_PER_CPU", "512"), ("SLURM_CPUS_PER_TASK", "4")];
        assert_eq!(memory(&each), Some(2 << 30));
        assert_eq!(memory(&[("SLURM_MEM_PER_CPU", "512")]), Some(512 << 20));
    }

    #[test]
    fn the_smallest_limit_wins_with_its_origin() {
        let limit = |amount, from| Some(Limit { amount, from });
        assert_eq!(least([limit(8, "a"), limit(2, "b"), None]), limit(2, "b"));
        assert_eq!(least([limit(2, "a"), limit(2, "b")]), limit(2, "a"));
        assert!(threads().amount >= 1);
    }

    /// On any machine, limits are positive and at most the total.
    #[cfg(target_os = "linux")] // compares with /proc
    #[test]
    fn limits_of_this_machine_are_plausible() {
        let about = std::fs::read_to_string("/proc/meminfo").unwrap();
        let total = about.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
        let total = first_number(total).unwrap() << 10;
        let here = memory();
        assert!(
            here.is_none_or(|limit| limit.amount > 0 && limit.amount <= total),
            "{here:?} of {total}"
        );
    }
}
