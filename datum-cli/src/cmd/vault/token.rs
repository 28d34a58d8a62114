//! The token for a host's API, where the vault holds it.

use super::{keys, read, record};
use crate::edge::Edge;
use crate::fault::Fault;
use crate::github::Place;
use datum_core::Word;
use datum_core::access::{Access, What};
use datum_core::vault::VaultError;
use zeroize::Zeroizing;

/// The token under `named`, or under the first of the names for `place` that is in use, and that name; `None` where there is
/// no vault, or none of them. The access is recorded before the value is released.
pub(crate) fn token(
    edge: &Edge<'_>,
    named: Option<&str>,
    place: &Place,
    purpose: &str,
) -> Result<Option<(String, Zeroizing<String>)>, Fault> {
    let named = named.map(|name| Word::new("name", name)).transpose()?;
    if named.is_none() && edge.store()?.pins()?.vault().is_none() {
        return Ok(None);
    }
    let vault = read(edge)?;
    let in_use = |name: &str| vault.secrets().any(|(known, _)| known.as_str() == name);
    let name = match named {
        Some(name) => name,
        None => {
            let [first, second] = place.token_variables();
            match [first, second, place.token_secret()].into_iter().find(|name| in_use(name)) {
                Some(name) => Word::new("name", name)?,
                None => return Ok(None),
            }
        }
    };
    let opened = vault.open(&name, None, &*keys(edge)?);
    let one = std::slice::from_ref(&name);
    let (released, denied) = if opened.is_ok() { (one, &[][..]) } else { (&[][..], one) };
    let access = Access { what: What::Read, names: released, denied, member: None, purpose: Some(purpose) };
    record(edge, &access)?;
    let value = opened.map_err(|error| fault(&name, error))?;
    let text = String::from_utf8(value.to_vec())
        .map_err(|_| Fault::usage(format!("{name} holds no token: its value is no text")))?;
    Ok(Some((name.to_string(), Zeroizing::new(text))))
}

fn fault(name: &Word, error: VaultError) -> Fault {
    let mut fault = Fault::from(error);
    fault.message = format!("{name}: {}", fault.message);
    fault
}
