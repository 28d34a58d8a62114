//! Seen: what came from elsewhere and was shown to its reader in a list is noted, so that its sender may know.

use crate::edge::Edge;
use crate::fault::Fault;
use crate::out::Out;
use datum_core::bottle::{self, Bottle, Me, Source, Stage};
use datum_core::{EntryId, Kind, Stamp, Writer};

/// Notes that `me` was shown these bottles, those of this clone's own writers left out.
///
/// A repository that cannot be written is read all the same.
pub(super) fn note(edge: &Edge<'_>, out: &mut Out, me: &Me, shown: &[&Bottle]) {
    let store = edge.store();
    let Ok(own) = store.map(datum_core::Store::clone_id) else { return };
    let elsewhere = |bottle: &&&Bottle| match &bottle.source {
        Source::Log(writer) => Writer::parse(writer)
            .is_ok_and(|writer| own.as_ref().is_none_or(|own| own.as_str() != writer.clone_id())),
        Source::Files(_) => false,
    };
    let news = shown.iter().filter(|bottle| bottle.is_for(me) && bottle.stage(&me.name) == Stage::Unread);
    let ids: Vec<EntryId> = news.filter(elsewhere).map(|bottle| bottle.id).collect();
    if ids.is_empty() {
        return;
    }
    let write = || -> Result<(), Fault> {
        let stamp: Stamp = edge.stamp_as(me.name.clone())?;
        let drafts = bottle::sightings(&ids)?;
        edge.store()?.note(Kind::Bottle, &stamp, &drafts)?;
        Ok(())
    };
    if let Err(fault) = write() {
        out.say(&format!("not noted as seen: {}", fault.message));
    }
}
