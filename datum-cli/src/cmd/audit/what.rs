//! The choice of rules on the command line.

use clap::ValueEnum;
use datum_core::audit::{Level, Pack, Type};

/// Which rules are asked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct What {
    /// What the audit is for: workshop, conformance, vessel or fleet
    #[arg(long = "type", value_name = "TYPE", default_value = "workshop", hide_possible_values = true)]
    kind: TypeArg,
    /// Ask the rules of this pack instead: workshop, vessel, dockside or hygiene (repeatable)
    #[arg(long, value_name = "PACK", hide_possible_values = true)]
    pack: Vec<PackArg>,
    /// Ask only this rule, or pack/* (repeatable)
    #[arg(long, value_name = "ID")]
    pub(super) rule: Vec<String>,
    /// Do not read the vessel's datum.toml
    #[arg(long)]
    pub(super) no_config: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TypeArg {
    Workshop,
    Conformance,
    Vessel,
    Fleet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PackArg {
    Workshop,
    Vessel,
    Dockside,
    Hygiene,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LevelArg {
    Info,
    Warning,
    Error,
    Critical,
}

impl What {
    /// Every rule of a type, as the vessel's datum.toml has them.
    pub(crate) fn of(kind: Type) -> Self {
        let kind = match kind {
            Type::Workshop => TypeArg::Workshop,
            Type::Conformance => TypeArg::Conformance,
            Type::Vessel => TypeArg::Vessel,
            Type::Fleet => TypeArg::Fleet,
        };
        Self { kind, pack: Vec::new(), rule: Vec::new(), no_config: false }
    }

    /// The type of the audit.
    pub(crate) fn kind(&self) -> Type {
        match self.kind {
            TypeArg::Workshop => Type::Workshop,
            TypeArg::Conformance => Type::Conformance,
            TypeArg::Vessel => Type::Vessel,
            TypeArg::Fleet => Type::Fleet,
        }
    }

    pub(super) fn packs(&self) -> Vec<Pack> {
        if self.pack.is_empty() {
            return self.kind().packs().to_vec();
        }
        let chosen = |pack: &PackArg| match pack {
            PackArg::Workshop => Pack::Workshop,
            PackArg::Vessel => Pack::Vessel,
            PackArg::Dockside => Pack::Dockside,
            PackArg::Hygiene => Pack::Hygiene,
        };
        self.pack.iter().map(chosen).collect()
    }
}

pub(super) fn level(level: LevelArg) -> Level {
    match level {
        LevelArg::Info => Level::Info,
        LevelArg::Warning => Level::Warning,
        LevelArg::Error => Level::Error,
        LevelArg::Critical => Level::Critical,
    }
}
