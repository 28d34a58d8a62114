//! Landlock: which files a command reads, writes and executes, which TCP ports it reaches, and that its signals stay
//! among its own.

use super::Policy;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, NetPort,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};
use std::path::PathBuf;

/// The versions of the interface that bring rights of use here, the best first. Each is asked for as a hard
/// requirement, so what is told is held.
const VERSIONS: [ABI; 7] = [ABI::V9, ABI::V6, ABI::V5, ABI::V4, ABI::V3, ABI::V2, ABI::V1];

/// Restricts this thread and what it starts, and tells by which version; 0 where there is no Landlock.
pub(super) fn restrict(policy: &Policy) -> Result<u8, String> {
    for abi in VERSIONS {
        if let Ok(ruleset) = begin(abi) {
            let ruleset = rules(ruleset, policy, abi).map_err(|error| error.to_string())?;
            let status = ruleset.restrict_self().map_err(|error| error.to_string())?;
            let held = status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs;
            return match status.landlock {
                LandlockStatus::Available { effective_abi, .. } if held => Ok(effective_abi as u8),
                _ => Err("Landlock holds only a part of it".to_owned()),
            };
        }
    }
    Ok(0)
}

fn begin(abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))?;
    let ports = tcp(abi);
    if !ports.is_empty() {
        ruleset = ruleset.handle_access(ports)?;
    }
    let scopes = Scope::from_all(abi);
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes)?;
    }
    ruleset.create()
}

/// Ports of TCP; those of UDP are left to the filter of system calls, which takes UDP away whole.
fn tcp(abi: ABI) -> BitFlags<AccessNet> {
    AccessNet::from_all(abi) & (AccessNet::BindTcp | AccessNet::ConnectTcp)
}

fn rules(mut ruleset: RulesetCreated, policy: &Policy, abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let all = AccessFs::from_all(abi);
    let read = AccessFs::from_read(abi);
    let look: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    // No device is made and no device is commanded, wherever a file may be written.
    let mut write = all;
    write.remove(AccessFs::MakeChar | AccessFs::MakeBlock);
    write.remove(all & AccessFs::IoctlDev);
    let device = read | (all & (AccessFs::WriteFile | AccessFs::Truncate));
    for (paths, access) in
        [(&policy.read, read), (&policy.look, look), (&policy.write, write), (&policy.devices, device)]
    {
        let paths: &Vec<PathBuf> = paths;
        ruleset = ruleset.add_rules(path_beneath_rules(paths, access))?;
    }
    if tcp(abi).contains(AccessNet::ConnectTcp) {
        for port in &policy.ports {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
    }
    Ok(ruleset)
}
