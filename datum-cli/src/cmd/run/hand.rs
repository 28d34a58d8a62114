//! Handing values to a command: in a variable, by a descriptor, or as a file in memory.

use crate::cmd::within::variable;
use crate::fault::Fault;
use datum_core::Word;
use datum_core::vault::{self, Value};
use std::fs::File;
use std::io::{PipeWriter, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::process::Command;

/// A value that is asked for, and how.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) name: Word,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Variable(String),
    /// A pipe; `…_FD` says its number.
    Descriptor,
    /// A sealed file in memory; `…_FILE` says its path.
    File,
}

/// A value, and how it is handed over.
pub(super) struct Hand {
    pub(super) secret: Secret,
    pub(super) value: Value,
}

/// What must live until the command has started, and what is written to it then.
#[derive(Default)]
pub(super) struct Given {
    descriptors: Vec<OwnedFd>,
    pipes: Vec<(PipeWriter, Value)>,
}

impl Given {
    /// Closes what only the command is to hold.
    pub(super) fn started(self) -> Vec<(PipeWriter, Value)> {
        drop(self.descriptors);
        self.pipes
    }
}

/// Parses `NAME`, `NAME=VAR`, `NAME@fd` and `NAME@file`.
pub(super) fn parse(texts: &[String]) -> Result<Vec<Secret>, Fault> {
    let mut secrets: Vec<Secret> = Vec::new();
    for text in texts {
        let end = text.find(['=', '@']).unwrap_or(text.len());
        let (name, way) = text.split_at(end);
        let name = Word::new("name", name)?;
        let way = match way {
            "" => Way::Variable(vault::variable(&name)),
            "@fd" => Way::Descriptor,
            "@file" => Way::File,
            way => match way.strip_prefix('=') {
                Some(name) => Way::Variable(variable(name)?),
                None => {
                    return Err(Fault::usage(format!("--secret {text}: no value is handed over as {way}"))
                        .hint("NAME, NAME=VARIABLE, NAME@fd or NAME@file"));
                }
            },
        };
        secrets.push(Secret { name, way });
    }
    Ok(secrets)
}

/// Sets up the command so that it has the values.
pub(super) fn give(hands: Vec<Hand>, command: &mut Command) -> Result<Given, Fault> {
    let mut given = Given::default();
    for Hand { secret: Secret { name, way }, value } in hands {
        let cannot = |error: std::io::Error| Fault::broken(format!("cannot hand over {name}: {error}"));
        let about = vault::variable(&name);
        match way {
            Way::Variable(variable) => {
                let text = std::str::from_utf8(&value).ok().filter(|text| !text.contains('\0'));
                let text = text.ok_or_else(|| {
                    Fault::usage(format!("{name} is no text that a variable can hold"))
                        .hint(format!("--secret {name}@file"))
                })?;
                command.env(variable, text);
            }
            Way::Descriptor => {
                let (reader, writer) = std::io::pipe().map_err(cannot)?;
                inherit(&reader).map_err(cannot)?;
                command.env(format!("{about}_FD"), reader.as_raw_fd().to_string());
                given.descriptors.push(OwnedFd::from(reader));
                given.pipes.push((writer, value));
            }
            Way::File => {
                let file = in_memory(&value).map_err(cannot)?;
                inherit(&file).map_err(cannot)?;
                command.env(format!("{about}_FILE"), format!("/proc/self/fd/{}", file.as_raw_fd()));
                given.descriptors.push(file);
            }
        }
    }
    Ok(given)
}

/// Lets a descriptor live through exec.
fn inherit(descriptor: &impl AsFd) -> std::io::Result<()> {
    Ok(rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty())?)
}

/// A file that lies in memory alone and that nobody can change.
#[cfg(target_os = "linux")]
fn in_memory(value: &[u8]) -> std::io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use std::io::Seek as _;
    let mut file = File::from(memfd_create("datum", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(value)?;
    file.rewind()?;
    let file = OwnedFd::from(file);
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_: &[u8]) -> std::io::Result<OwnedFd> {
    Err(std::io::Error::other("this system has no files in memory"))
}
