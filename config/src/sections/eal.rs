//! `[eal]`: what DPDK is started with.

use crate::section::section;
use crate::values::{Bytes, Cores, EalLog};

section! {
    /// DPDK's environment: memory, and where its own threads run.
    pub struct Eal ["eal"] {
        /// Packet buffers and flow tables in hugepages. Without them everything works, slower: for trials
        /// and tests. `tapir doctor` tells how many there are.
        hugepages: bool = true,

        /// Leave no files behind in hugetlbfs or /run, so that several Tapirs can run side by side and
        /// none has to clean up after another.
        in_memory: bool = true,

        /// Memory taken at start. Left out, hugepages are taken as needed; without hugepages it is
        /// reckoned from the ports' descriptors.
        memory: Option<Bytes<{ 16 << 20 }, { 1 << 40 }>> = None,

        /// Name that this process's files begin with, where in_memory is off.
        file_prefix: Option<String> = None,

        /// Cores for DPDK's own threads. Left out, any core of the process but those of workers.
        main_cores: Option<Cores> = None,

        /// How much DPDK says on stderr.
        log_level: EalLog = EalLog::Warning,

        /// More options for DPDK, as on the command line of its own programs.
        extra_args: Vec<String> = Vec::new(),
    }
}
