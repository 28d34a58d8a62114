//! The system calls that a boundary takes away: those that reach into other processes, around the files and ports that
//! Landlock holds, or out by other means than TCP.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// Refused whatever their arguments.
const REFUSED: [libc::c_long; 18] = [
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    // Work that the kernel does later, past this filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Keys of the caller's session.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Ways into the kernel that no tool needs.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_setns,
    libc::SYS_vhangup,
];

/// Bit of the numbers of the x32 interface, by which one call has two numbers on x86-64.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;

/// Filters the calls of this thread and of what it starts; `tcp` leaves sockets of TCP.
pub(super) fn restrict(tcp: bool) -> Result<(), String> {
    seccompiler::apply_filter(&filter(tcp)?).map_err(|error| error.to_string())
}

fn filter(tcp: bool) -> Result<BpfProgram, String> {
    let text = |error: seccompiler::BackendError| error.to_string();
    let mut rules: BTreeMap<libc::c_long, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, if tcp { no_tcp().map_err(text)? } else { Vec::new() });
    // Typing into the terminal that the command was started from.
    let typing = [libc::TIOCSTI, libc::TIOCLINUX]
        .map(|request| SeccompRule::new(vec![is(1, SeccompCmpOp::Eq, request & 0xffff_ffff)?]));
    rules.insert(libc::SYS_ioctl, typing.into_iter().collect::<Result<_, _>>().map_err(text)?);
    #[cfg(target_arch = "x86_64")]
    for (call, rule) in rules.clone() {
        rules.insert(call | X32, rule);
    }
    let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or(1));
    let arch = std::env::consts::ARCH.try_into().map_err(text)?;
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, refuse, arch);
    filter.map_err(text)?.try_into().map_err(text)
}

fn is(index: u8, by: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, by, value)
}

/// Every socket but a stream of IPv4 or IPv6 by TCP itself: Landlock's ports hold for nothing else.
fn no_tcp() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let number = |constant: libc::c_int| u64::try_from(constant).unwrap_or_default();
    let mut rules = vec![
        SeccompRule::new(vec![
            is(0, SeccompCmpOp::Ne, number(libc::AF_INET))?,
            is(0, SeccompCmpOp::Ne, number(libc::AF_INET6))?,
        ])?,
        SeccompRule::new(vec![
            is(2, SeccompCmpOp::Ne, 0)?,
            is(2, SeccompCmpOp::Ne, number(libc::IPPROTO_TCP))?,
        ])?,
    ];
    for kind in (0..16).filter(|kind| *kind != number(libc::SOCK_STREAM)) {
        rules.push(SeccompRule::new(vec![is(1, SeccompCmpOp::MaskedEq(0xf), kind)?])?);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_filters_compile() {
        assert!(super::filter(true).is_ok_and(|program| program.len() < 4096));
        assert!(super::filter(false).is_ok_and(|program| program.len() < 4096));
    }
}
