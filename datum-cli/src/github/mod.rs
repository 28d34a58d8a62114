//! GitHub's API, as much of it as the fleet commands need: one request after another, within its limits.

mod client;
mod document;
mod failure;
mod limit;
mod link;
mod place;
mod read;
mod token;
mod trust;
mod wait;

pub(crate) use client::{Client, Given};
#[cfg(feature = "vault")]
pub(crate) use document::viewer;
pub(crate) use document::{commits, facts, listing, now, topics};
pub(crate) use failure::{Failure, Stop};
pub(crate) use place::Place;
pub(crate) use read::{errors_at, page, repository, rows};
pub(crate) use token::Token;
pub(crate) use wait::{HOUR, Patience};
