//! Keys and the GitHub token: made, checked, and kept where only their agent can open them.

use super::did::{Answer, declined, done, there};
use super::plan::{Hidden, Plan, Token as From};
use crate::cmd::{agent_keys, vault};
use crate::edge::{Edge, variable};
use crate::fault::Fault;
use crate::github::{Client, Failure, Given, Patience, Place, Stop, Token, viewer as viewer_document};
use crate::keyring;
use crate::out::Out;
use datum_core::keys::AgentKeys;
use datum_core::onboarding::{Facts, Keys};
use datum_core::trust::Trust;
use datum_core::vault::{Vault, VaultError};
use datum_core::{AgentName, Snapshot, Word};
use serde_json::json;
use zeroize::Zeroizing;

/// Longest time for one request, seconds.
const TIMEOUT: u64 = 20;

/// Notes what is known of keys and vault.
pub(super) fn facts(
    edge: &Edge<'_>,
    snapshot: &Snapshot<'_>,
    agent: &AgentName,
    facts: &mut Facts,
) -> Result<(), Fault> {
    let store = edge.store()?;
    let pins = store.pins()?;
    let file = keyring::read(agent)?;
    facts.keys = file.is_some();
    facts.declared = file.is_some_and(|file| {
        Trust::read(snapshot, &pins)
            .declared(agent.as_str())
            .is_some_and(|declared| declared.signers.contains(&file.signer))
    });
    let Ok(vault) = Vault::read(snapshot, &pins) else { return Ok(()) };
    for name in Place::TOKEN_SECRETS {
        let name = Word::new("name", name)?;
        facts.token |= vault.secret(&name).is_ok_and(|secret| secret.granted.contains(agent.as_str()));
    }
    Ok(())
}

/// Makes keys where there are none, and declares them where they are not declared.
pub(super) fn keys(edge: &Edge<'_>, plan: &Plan, facts: &Facts, out: &Out) -> Answer {
    let name = plan.name()?;
    if plan.keys == Keys::None && !facts.declared {
        return declined();
    }
    let made = match keyring::read(name)? {
        Some(file) => {
            if plan.keys == Keys::Locked && !file.is_locked() {
                out.warn("the keys are here already, in clear, and stay so");
                out.say("hint: datum agent keys passphrase locks them");
            }
            false
        }
        None => {
            let keys = AgentKeys::generate(name.clone())?;
            agent_keys::keep(edge, &keys, &text(plan, &keys)?)?;
            edge.keyring().unlocked(keys);
            true
        }
    };
    let file = keyring::read(name)?.ok_or_else(|| Fault::broken("the keys are gone again"))?;
    let declared = !agent_keys::declare(edge, name, file.signer, &file.recipient)?.ids.is_empty();
    match (made, declared) {
        (true, _) => done(format!("made keys in {}, and declared them", keyring::path(name)?.display())),
        (false, true) => done("declared the keys"),
        (false, false) => there("the keys are here and declared"),
    }
}

/// The file of the keys, locked where that is wanted.
fn text(plan: &Plan, keys: &AgentKeys) -> Result<Zeroizing<String>, Fault> {
    match (&plan.passphrase, plan.keys) {
        (Some(passphrase), _) => Ok(Zeroizing::new(keys.print_locked(passphrase)?)),
        (None, Keys::Locked) => Ok(Zeroizing::new(agent_keys::locked(keys)?)),
        (None, _) => Ok(keys.print()),
    }
}

/// Checks the token with GitHub, and keeps it in the vault, which is founded where there is none.
pub(super) fn token(edge: &Edge<'_>, plan: &Plan, from: &From, out: &mut Out) -> Answer {
    let text: Hidden = match from {
        From::Typed(text) => text.clone(),
        From::Variable(name) => Zeroizing::new(variable(name).unwrap_or_default()),
        From::Declined | From::Unasked => return declined(),
    };
    let text = Zeroizing::new(text.trim().to_owned());
    let token = Token::of(&text).ok_or_else(|| {
        Fault::usage("the token has characters that no header can hold")
            .hint("copy it again, whole and alone")
    })?;
    let place = Place::find(plan.api_url.as_deref())?;
    let kept = place.token_secret();
    let who = viewer(place, token, out)?;
    let name = Word::new("name", kept)?;
    let founded = found_vault(edge)?;
    let checked = match &who {
        Some(login) => format!("GitHub knows it as {login}'s"),
        None => "GitHub could not be asked, so it is not checked".to_owned(),
    };
    // The same token again is no new value.
    let keys = edge.keyring().need(plan.name()?)?;
    let held = vault::read(edge)?.open(&name, None, &keys).ok();
    if held.is_some_and(|held| *held == *text.as_bytes()) {
        return there(format!("the vault holds the token as {kept}; {checked}"));
    }
    vault::put(edge, &name, &Zeroizing::new(text.as_bytes().to_vec()), "onboarding")?;
    let vault = if founded { "a new vault" } else { "the vault" };
    done(format!("{vault} keeps the token as {kept}; {checked}"))
}

/// Whose token it is; `None` where GitHub cannot be asked.
fn viewer(place: Place, token: Token, out: &Out) -> Result<Option<String>, Fault> {
    let given = Given {
        place,
        token,
        patience: Patience::new(0),
        budget: Some(5),
        timeout: TIMEOUT,
        certificates: variable("SSL_CERT_FILE"),
    };
    let asked = Client::new(given, out)?.ask(viewer_document(), &json!({}));
    match asked {
        Ok((data, _)) => {
            let login = data["viewer"]["login"].as_str().unwrap_or("an unnamed account");
            Ok(Some(login.chars().filter(|c| !c.is_control()).take(100).collect()))
        }
        Err(Failure::Stop(Stop::Token(said))) => {
            Err(Fault::usage(format!("GitHub does not accept the token, so it is not kept: {said}"))
                .hint("make a new token, and run it again"))
        }
        Err(failure) => {
            out.warn(&format!("the token is not checked: {}", Fault::from(failure).message));
            Ok(None)
        }
    }
}

/// Founds a vault where none is trusted and none is there to be trusted.
fn found_vault(edge: &Edge<'_>) -> Result<bool, Fault> {
    let store = edge.store()?;
    match Vault::read(&store.snapshot()?, &store.pins()?) {
        Ok(_) => Ok(false),
        Err(VaultError::Untrusted { found }) if found.is_empty() => vault::found(edge).map(|_| true),
        Err(error) => Err(error.into()),
    }
}
