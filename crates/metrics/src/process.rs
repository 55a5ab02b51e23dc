use std::fs;
use std::path::Path;

use prometheus::{Counter, Gauge, IntGauge};

use crate::family::{Families, Name};

/// What the kernel says about this process, under the names that every exporter uses.
#[derive(Debug)]
pub(crate) struct Process {
    cpu: Counter,
    resident: IntGauge,
    virtual_memory: IntGauge,
    descriptors: IntGauge,
    descriptors_max: IntGauge,
    threads: IntGauge,
    started: Gauge,
}

impl Process {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            cpu: families.float_counter(Name(
                "process_cpu_seconds_total",
                "CPU time used, in user and system mode.",
            )),
            resident: families
                .gauge(Name("process_resident_memory_bytes", "Memory that is in RAM.")),
            virtual_memory: families
                .gauge(Name("process_virtual_memory_bytes", "Memory that is mapped.")),
            descriptors: families.gauge(Name("process_open_fds", "Open file descriptors.")),
            descriptors_max: families
                .gauge(Name("process_max_fds", "File descriptors that may be open.")),
            threads: families.gauge(Name("process_threads", "Threads.")),
            started: families.float_gauge(Name(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
            )),
        }
    }

    /// Asks the kernel anew. What it does not tell keeps its last value.
    pub(crate) fn refresh(&self) {
        let read = |name: &str| fs::read_to_string(Path::new("/proc/self").join(name));
        if let Some(stat) = read("stat").ok().as_deref().and_then(Stat::parse) {
            // A counter only goes up; the kernel's does too.
            self.cpu.inc_by((stat.cpu_seconds - self.cpu.get()).max(0.0));
            if let Some(boot) = fs::read_to_string("/proc/stat").ok().as_deref().and_then(boot) {
                self.started.set(boot + stat.started_seconds);
            }
        }
        if let Ok(status) = read("status") {
            let kib = |name| field(&status, name).map(|kib| kib.saturating_mul(1_024));
            set(&self.resident, kib("VmRSS:"));
            set(&self.virtual_memory, kib("VmSize:"));
            set(&self.threads, field(&status, "Threads:"));
        }
        if let Ok(limits) = read("limits") {
            set(&self.descriptors_max, field(&limits, "Max open files"));
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // One of them is the one that reads the folder.
            let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
            self.descriptors.set(open.saturating_sub(1));
        }
    }
}

fn set(gauge: &IntGauge, value: Option<i64>) {
    if let Some(value) = value {
        gauge.set(value);
    }
}

/// The first number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// When the machine began, in seconds since 1970.
fn boot(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// What `/proc/self/stat` says (proc(5)).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    /// After the machine began.
    started_seconds: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name of the program stands in parentheses and may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Field 3 is the first behind the name.
        let ticks = |number: usize| -> Option<f64> { fields.get(number - 3)?.parse().ok() };
        Some(Self {
            cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
            started_seconds: ticks(22)? / TICKS_PER_SECOND,
        })
    }
}

/// Linux shows its clock ticks to programs as hundredths of a second, whatever it ticks at.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests;
