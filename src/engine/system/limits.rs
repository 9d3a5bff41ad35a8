//! What this process may take of the machine that it runs on: threads and memory, as a cluster's
//! engine, a container or the system deal them out, and who said so.
//!
//! Looks at the system and at the environment, and changes neither. Never more than what the process
//! is confined to; and what an engine says counts where it confines nobody.

/// A number, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T> {
    /// Threads, or bytes.
    pub amount: T,
    /// For people: "`SLURM_CPUS_PER_TASK`", "cgroup".
    pub from: &'static str,
}

/// Reads a variable of the environment.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Threads that may compute.
pub fn threads() -> Limit<usize> {
    // The processors that the thread may run on (cpuset, taskset), and the cgroup's quota of them.
    let confined = std::thread::available_parallelism().map_or(1, usize::from);
    let confined = Limit { amount: confined, from: "processors, affinity and cgroup" };
    least([Some(confined), said_threads(&variable)]).unwrap_or(confined)
}

/// Bytes of memory that may be taken; `None` where nobody says.
pub fn memory() -> Option<Limit<u64>> {
    least([confined_memory(), said_memory(&variable)])
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The least of several; the first of equal ones.
fn least<T: Ord + Copy, const N: usize>(dealt: [Option<Limit<T>>; N]) -> Option<Limit<T>> {
    dealt.into_iter().flatten().min_by_key(|dealt| dealt.amount)
}

/// Threads that an engine says it gives to each of its tasks.
fn said_threads(variable: Variable<'_>) -> Option<Limit<usize>> {
    const NAMES: [&str; 6] = [
        "RAYON_NUM_THREADS", // whoever knows how Partita is made
        "SLURM_CPUS_PER_TASK",
        "NSLOTS",           // Grid Engine
        "NCPUS",            // PBS
        "LSB_DJOB_NUMPROC", // LSF
        "OMP_NUM_THREADS",  // Ray sets it; users do
    ];
    let number =
        |name: &str| variable(name)?.trim().parse::<usize>().ok().filter(|&threads| threads > 0);
    let said = NAMES.iter().find_map(|&from| Some(Limit { amount: number(from)?, from }));
    // Without a number for each task, the job's processors of this node are shared by its tasks here.
    said.or_else(|| {
        let tasks = ["SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"];
        let tasks = tasks.iter().find_map(|&name| first_number(&variable(name)?)).unwrap_or(1);
        let on_node = number("SLURM_CPUS_ON_NODE")?;
        let amount = (on_node / usize::try_from(tasks).ok()?.max(1)).max(1);
        Some(Limit { amount, from: "SLURM_CPUS_ON_NODE" })
    })
}

/// Memory that Slurm says it gives: to the job on this node, or for each of its processors. Zero stands
/// for all of the node's.
fn said_memory(variable: Variable<'_>) -> Option<Limit<u64>> {
    let megabytes = |name: &str| first_number(&variable(name)?).filter(|&megabytes| megabytes > 0);
    let dealt = |megabytes: u64, from| Limit { amount: megabytes.saturating_mul(1 << 20), from };
    if let Some(of_node) = megabytes("SLURM_MEM_PER_NODE") {
        return Some(dealt(of_node, "SLURM_MEM_PER_NODE"));
    }
    let each = megabytes("SLURM_MEM_PER_CPU")?;
    let processors = ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"];
    let processors = processors.iter().find_map(|&name| first_number(&variable(name)?));
    Some(dealt(each.saturating_mul(processors.unwrap_or(1)), "SLURM_MEM_PER_CPU"))
}

/// The number that a text begins with: Slurm writes "4(x2)" for four on each of two nodes.
fn first_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// What the cgroup of this process, or one above it, allows (version 1 or 2); where that is all that
/// there is, what there is.
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
    fn slurm_says_what_a_task_gets() {
        let threads =
            |set: &[(&str, &str)]| with(set, |v| said_threads(v).map(|limit| limit.amount));
        assert_eq!(threads(&[]), None);
        assert_eq!(threads(&[("SLURM_CPUS_PER_TASK", "3"), ("SLURM_CPUS_ON_NODE", "64")]), Some(3));
        assert_eq!(threads(&[("SLURM_CPUS_ON_NODE", "64")]), Some(64), "the job's, by one task");
        let shared = [("SLURM_CPUS_ON_NODE", "64"), ("SLURM_TASKS_PER_NODE", "16(x2),3")];
        assert_eq!(threads(&shared), Some(4));
        let crowded = [("SLURM_CPUS_ON_NODE", "2"), ("SLURM_STEP_TASKS_PER_NODE", "8")];
        assert_eq!(threads(&crowded), Some(1), "never none");
        assert_eq!(threads(&[("NSLOTS", "many"), ("OMP_NUM_THREADS", "2")]), Some(2));
        assert_eq!(threads(&[("OMP_NUM_THREADS", "0")]), None);
    }

    #[test]
    fn slurm_says_how_much_memory() {
        let memory = |set: &[(&str, &str)]| with(set, |v| said_memory(v).map(|limit| limit.amount));
        assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "2048")]), Some(2 << 30));
        assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "0")]), None, "all of the node's");
        let each = [("SLURM_MEM_PER_CPU", "512"), ("SLURM_CPUS_PER_TASK", "4")];
        assert_eq!(memory(&each), Some(2 << 30));
        assert_eq!(memory(&[("SLURM_MEM_PER_CPU", "512")]), Some(512 << 20));
    }

    #[test]
    fn the_least_counts_with_its_origin() {
        let dealt = |amount, from| Some(Limit { amount, from });
        assert_eq!(least([dealt(8, "a"), dealt(2, "b"), None]), dealt(2, "b"));
        assert_eq!(least([dealt(2, "a"), dealt(2, "b")]), dealt(2, "a"));
        assert!(threads().amount >= 1);
    }

    /// Whatever this machine deals out, it is not nothing and not more than there is.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_dealt_out_here_is_there() {
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
