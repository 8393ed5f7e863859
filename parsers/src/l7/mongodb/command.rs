//! What a command asks for. Source: MongoDB manual, "Database Commands"; OP_MSG: the first element of the
//! body names the command, `$db` its database.

use super::exhaust::Memo;
use super::reading::{Scope, Want};
use crate::conversation::Out;
use crate::field::Field;
use crate::l7::bson::{Element, Kind};

/// What is awaited: the command's name.
const NAME: u8 = 1;
/// The database.
const DATABASE: u8 = 1 << 1;
/// The collection, which stands in an element of its own.
const COLLECTION: u8 = 1 << 2;
/// The mechanism of a login.
const MECHANISM: u8 = 1 << 3;

/// Commands whose first value is a text, but no collection: a user, a role, a parameter, a shard, a version.
const OF_SOMETHING_ELSE: &[&[u8]] = &[
    b"addShard",
    b"addShardToZone",
    b"configureFailPoint",
    b"createRole",
    b"createUser",
    b"dropRole",
    b"dropUser",
    b"enableSharding",
    b"getLog",
    b"grantPrivilegesToRole",
    b"grantRolesToRole",
    b"grantRolesToUser",
    b"logApplicationMessage",
    b"logMessage",
    b"logRotate",
    b"movePrimary",
    b"removeShard",
    b"removeShardFromZone",
    b"replSetFreeze",
    b"replSetSyncFrom",
    b"revokePrivilegesFromRole",
    b"revokeRolesFromRole",
    b"revokeRolesFromUser",
    b"rolesInfo",
    b"setFeatureCompatibilityVersion",
    b"updateRole",
    b"updateUser",
    b"usersInfo",
    b"getParameter",
    b"setClusterParameter",
    b"getClusterParameter",
];

/// A command under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    /// What is not known yet.
    awaits: u8,
    /// OP_QUERY and OP_COMMAND: what is no element of the command stands around it.
    is_legacy: bool,
    /// Its endpoint is told.
    has_endpoint: bool,
}

impl Command {
    /// The body of an OP_MSG.
    pub(super) fn of_message() -> Self {
        Self {
            awaits: NAME | DATABASE,
            is_legacy: false,
            has_endpoint: false,
        }
    }

    /// OP_QUERY of `$cmd`, whose database is known.
    pub(super) fn of_query() -> Self {
        Self {
            awaits: NAME,
            is_legacy: true,
            has_endpoint: false,
        }
    }

    /// OP_COMMAND, of which name and database are known.
    pub(super) fn of_arguments() -> Self {
        Self {
            awaits: COLLECTION,
            is_legacy: true,
            has_endpoint: false,
        }
    }

    /// What the documents of the message are.
    pub(super) fn first_scope(&self) -> Scope {
        if self.has_name() {
            Scope::Arguments
        } else {
            Scope::Command
        }
    }

    /// All that is wanted is known.
    pub(super) fn is_satisfied(&self) -> bool {
        self.awaits == 0
    }

    fn has_name(&self) -> bool {
        self.awaits & NAME == 0
    }

    fn awaits(&self, what: u8) -> bool {
        self.awaits & what != 0
    }

    pub(super) fn want(&self, scope: Scope, element: &Element<'_>, memo: &Memo) -> Want {
        let is_document = element.kind == Kind::Document;
        match (scope, element.name) {
            (Scope::Command, b"$query" | b"query") if self.is_legacy && !self.has_name() && is_document => {
                Want::Enter(Scope::Command)
            }
            (Scope::Command, [b'$', ..]) if self.is_legacy => Want::Pass,
            (Scope::Command, b"explain") if !self.has_name() && is_document => Want::Enter(Scope::Explained),
            (Scope::Command, _) if !self.has_name() => Want::Read,
            (Scope::Command, b"$db") if self.awaits(DATABASE) => Want::Read,
            (Scope::Command, b"collection") if self.awaits(COLLECTION) => Want::Read,
            (Scope::Command, b"mechanism") if self.awaits(MECHANISM) => Want::Read,
            (Scope::Explained, _) if self.awaits(COLLECTION) => Want::Read,
            (Scope::Arguments, name) if self.awaits(COLLECTION) && name == memo.name.as_slice() => Want::Read,
            _ => Want::Pass,
        }
    }

    pub(super) fn take(
        &mut self,
        scope: Scope,
        element: &Element<'_>,
        value: &[u8],
        memo: &mut Memo,
        out: &mut Out<'_>,
    ) {
        let text = element.text(value).unwrap_or(&[]);
        match (scope, element.name) {
            (Scope::Command, name) if !self.has_name() => {
                self.name(name, memo, out);
                if !OF_SOMETHING_ELSE.contains(&name) {
                    self.collection(text, memo, out);
                }
            }
            (Scope::Command, b"$db") => {
                self.awaits &= !DATABASE;
                out.text(Field::Domain, text);
                memo.database(text);
            }
            (Scope::Command, b"mechanism") => {
                self.awaits &= !MECHANISM;
                out.attr("mechanism", text);
            }
            (Scope::Command, b"collection") => self.collection(text, memo, out),
            (Scope::Explained | Scope::Arguments, _) => {
                self.awaits &= !COLLECTION;
                self.collection(text, memo, out);
            }
            _ => {}
        }
    }

    /// The document that `explain` is asked of is looked into.
    pub(super) fn entered(&mut self, scope: Scope, memo: &mut Memo, out: &mut Out<'_>) {
        if scope == Scope::Explained {
            self.name(b"explain", memo, out);
            self.awaits |= COLLECTION;
        }
    }

    /// The message has been read as far as it can be.
    pub(super) fn finish(&mut self, memo: &Memo, out: &mut Out<'_>) {
        if self.has_name() && !self.has_endpoint {
            self.has_endpoint = true;
            out.text(Field::Endpoint, &memo.name);
        }
    }

    fn name(&mut self, name: &[u8], memo: &mut Memo, out: &mut Out<'_>) {
        self.awaits &= !NAME;
        match name {
            b"getMore" => self.awaits |= COLLECTION,
            b"saslStart" | b"authenticate" => self.awaits |= MECHANISM,
            _ => {}
        }
        out.text(Field::ReqType, name);
        memo.name(name);
    }

    fn collection(&mut self, collection: &[u8], memo: &mut Memo, out: &mut Out<'_>) {
        if collection.is_empty() {
            return;
        }
        self.awaits &= !COLLECTION;
        self.has_endpoint = true;
        out.text(Field::Resource, collection);
        tell_endpoint(&memo.name, collection, out);
        memo.collection(collection);
    }
}

/// Writes `command collection`.
pub(super) fn tell_endpoint(command: &[u8], collection: &[u8], out: &mut Out<'_>) {
    let mut endpoint = out.write(Field::Endpoint);
    endpoint.push(command);
    if !collection.is_empty() {
        endpoint.push(b" ");
        endpoint.push(collection);
    }
}
