//! Who receives and who works.

use super::LiveError;
use super::options::{Distribution, LiveOptions};
use super::ports::Ports;
use dpdk_bindings::CpuId;

/// Which CPU does what.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Receives for all workers, where the ports can't spread flows.
    pub(super) receiver_cpu: Option<CpuId>,
    pub(super) worker_cpus: Vec<CpuId>,
}

impl Plan {
    pub(super) fn new(options: &LiveOptions, ports: &Ports) -> Result<Self, LiveError> {
        let lcores = &options.lcores;
        let wanted = lcores.len();
        let software = options
            .ports
            .iter()
            .any(|p| p.distribution == Distribution::Software);
        let cannot = ports.names_that_cannot_spread(wanted as u16);
        let forced: Vec<_> = options
            .ports
            .iter()
            .filter(|p| p.distribution == Distribution::Rss)
            .map(|p| p.name())
            .collect();
        if let Some(name) = cannot.iter().find(|name| forced.contains(&name.as_str()))
            && wanted > 1
        {
            return Err(LiveError::Options(format!(
                "port {name} can't spread flows over {wanted} queues by itself; set its distribution to \"software\", or use one lcore"
            )));
        }
        if !software && (wanted == 1 || cannot.is_empty()) {
            return Ok(Self {
                receiver_cpu: None,
                worker_cpus: lcores.clone(),
            });
        }
        if let Some(receiver) = options.receiver_lcore {
            return Ok(Self {
                receiver_cpu: Some(receiver),
                worker_cpus: lcores.clone(),
            });
        }
        let Some((receiver, workers)) = lcores.split_first().filter(|(_, workers)| !workers.is_empty())
        else {
            return Err(LiveError::Options(
                "distribution in software takes at least two lcores: one that receives, and a worker"
                    .to_owned(),
            ));
        };
        Ok(Self {
            receiver_cpu: Some(*receiver),
            worker_cpus: workers.to_vec(),
        })
    }

    /// Queues that every port is asked for.
    pub(super) fn queues(&self) -> u16 {
        if self.receiver_cpu.is_some() {
            1
        } else {
            self.worker_cpus.len() as u16
        }
    }

    pub(super) fn describe(&self) -> String {
        let cpus: Vec<String> = self.worker_cpus.iter().map(ToString::to_string).collect();
        match self.receiver_cpu {
            Some(cpu) => format!("CPU {cpu} receives for workers on CPUs {}", cpus.join(" ")),
            None => format!("workers on CPUs {}", cpus.join(" ")),
        }
    }
}
