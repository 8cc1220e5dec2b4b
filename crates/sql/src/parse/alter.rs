//! `alter …`

use super::{Parsed, Parser};
use crate::ast::{
    AlterObjectAction, AlterTable, AlterTableAction, AlterTypeAction, PartitionOf, PublicationAction,
    SequenceOptions, StatementKind, TriggerMode,
};
use crate::lexer::Token;

/// Words that begin an option of a function.
const FUNCTION_OPTIONS: &[&str] = &[
    "called",
    "cost",
    "external",
    "immutable",
    "leakproof",
    "not",
    "parallel",
    "reset",
    "returns",
    "rows",
    "security",
    "set",
    "stable",
    "strict",
    "support",
    "volatile",
];

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Parsed<StatementKind> {
        let before = self.at;
        self.expect("alter")?;
        if self.eat_all(&["default", "privileges"]) {
            return self.default_privileges();
        }
        if self.eat("policy") {
            return self.alter_policy();
        }
        let object = self.object_kind()?;
        match object.as_str() {
            "table" | "view" | "materialized view" | "index" | "foreign table" => self.alter_table(object),
            "type" => self.alter_type(),
            "sequence" => self.alter_sequence(),
            "role" | "user" => {
                let name = self.ident()?;
                Ok(StatementKind::Role { name, alter: true, options: self.options() })
            }
            "publication" => self.alter_publication(),
            "function" | "procedure" | "routine" | "schema" | "domain" | "trigger" | "extension"
            | "aggregate" => self.alter_object(object),
            _ => {
                self.at = before;
                Ok(StatementKind::Other(self.words()))
            }
        }
    }

    fn alter_table(&mut self, object: String) -> Parsed<StatementKind> {
        let if_exists = self.if_exists();
        self.eat("only");
        let name = self.object_name()?;
        self.eat_op("*");
        let actions = self.comma_list(Parser::alter_table_action)?;
        Ok(StatementKind::AlterTable(AlterTable { name, if_exists, object, actions }))
    }

    fn alter_table_action(&mut self) -> Parsed<AlterTableAction> {
        if self.eat("add") {
            return self.add_action();
        }
        if self.eat("drop") {
            return self.drop_action();
        }
        if self.eat("alter") {
            self.eat("column");
            let name = self.ident()?;
            return self.alter_column(name);
        }
        if self.eat("rename") {
            return self.rename_action();
        }
        if self.eat_all(&["validate", "constraint"]) {
            return Ok(AlterTableAction::ValidateConstraint(self.ident()?));
        }
        if self.eat_all(&["owner", "to"]) {
            return Ok(AlterTableAction::OwnerTo(self.ident()?));
        }
        if self.eat_all(&["enable", "row", "level", "security"]) {
            return Ok(AlterTableAction::RowSecurity(true));
        }
        if self.eat_all(&["disable", "row", "level", "security"]) {
            return Ok(AlterTableAction::RowSecurity(false));
        }
        if self.eat_all(&["force", "row", "level", "security"]) {
            return Ok(AlterTableAction::ForceRowSecurity(true));
        }
        if self.eat_all(&["no", "force", "row", "level", "security"]) {
            return Ok(AlterTableAction::ForceRowSecurity(false));
        }
        for (mode, words, _) in TriggerMode::ALL {
            let words: Vec<&str> = words.split(' ').chain(["trigger"]).collect();
            if self.eat_all(&words) {
                return Ok(AlterTableAction::Trigger { mode, name: self.ident()? });
            }
        }
        if self.eat_all(&["replica", "identity"]) {
            return Ok(AlterTableAction::ReplicaIdentity(self.raw_until(|parser| parser.is_mark(','))));
        }
        if self.eat_all(&["set", "schema"]) {
            return Ok(AlterTableAction::SetSchema(self.ident()?));
        }
        if self.is("set") && self.peek_at(1) == Some(&Token::Mark('(')) {
            self.at += 1;
            return Ok(AlterTableAction::SetOptions(
                self.in_parens(|parser| parser.comma_list(Parser::setting))?,
            ));
        }
        if self.eat_all(&["attach", "partition"]) {
            let table = self.object_name()?;
            let bound = self.partition_bound()?;
            return Ok(AlterTableAction::AttachPartition(PartitionOf { table, bound }));
        }
        if self.eat_all(&["detach", "partition"]) {
            let name = self.object_name()?;
            // Nobody is kept from the table meanwhile.
            let _ = self.eat("concurrently") || self.eat("finalize");
            return Ok(AlterTableAction::DetachPartition(name));
        }
        if self.done() {
            return Err(self.unexpected());
        }
        Ok(AlterTableAction::Other(self.raw_until(|parser| parser.is_mark(','))))
    }

    fn add_action(&mut self) -> Parsed<AlterTableAction> {
        let named = self.is("column");
        if named || !self.constraint_word() {
            self.eat("column");
            let if_not_exists = self.if_not_exists();
            return Ok(AlterTableAction::AddColumn { column: self.column_definition()?, if_not_exists });
        }
        Ok(AlterTableAction::AddConstraint(self.table_constraint()?))
    }

    fn constraint_word(&self) -> bool {
        let opens = self.peek_at(1) == Some(&Token::Mark('('));
        self.is("constraint")
            || self.are(&["primary", "key"])
            || self.are(&["foreign", "key"])
            || (self.is("check") && opens)
            || (self.is("unique") && (opens || self.is_at(1, "using") || self.is_at(1, "nulls")))
            || (self.is("exclude") && (opens || self.is_at(1, "using")))
    }

    fn drop_action(&mut self) -> Parsed<AlterTableAction> {
        if self.eat("constraint") {
            let if_exists = self.if_exists();
            let name = self.ident()?;
            return Ok(AlterTableAction::DropConstraint { name, if_exists, cascade: self.cascade() });
        }
        self.eat("column");
        let if_exists = self.if_exists();
        let name = self.ident()?;
        Ok(AlterTableAction::DropColumn { name, if_exists, cascade: self.cascade() })
    }

    fn rename_action(&mut self) -> Parsed<AlterTableAction> {
        if self.eat("to") {
            return Ok(AlterTableAction::RenameTo(self.ident()?));
        }
        let constraint = self.eat("constraint");
        if !constraint {
            self.eat("column");
        }
        let from = self.ident()?;
        self.expect("to")?;
        let to = self.ident()?;
        Ok(if constraint {
            AlterTableAction::RenameConstraint { from, to }
        } else {
            AlterTableAction::RenameColumn { from, to }
        })
    }

    fn alter_column(&mut self, name: String) -> Parsed<AlterTableAction> {
        if self.eat_all(&["set", "data", "type"]) || self.eat("type") {
            let ty = self.type_name()?;
            if self.eat("collate") {
                self.object_name()?;
            }
            let using = if self.eat("using") { Some(self.expr()?) } else { None };
            return Ok(AlterTableAction::ColumnType { name, ty, using });
        }
        if self.eat_all(&["set", "default"]) {
            return Ok(AlterTableAction::ColumnDefault { name, default: Some(self.expr()?) });
        }
        if self.eat_all(&["drop", "default"]) {
            return Ok(AlterTableAction::ColumnDefault { name, default: None });
        }
        if self.eat_all(&["set", "not", "null"]) {
            return Ok(AlterTableAction::ColumnNotNull { name, not_null: true });
        }
        if self.eat_all(&["drop", "not", "null"]) {
            return Ok(AlterTableAction::ColumnNotNull { name, not_null: false });
        }
        if self.eat_all(&["drop", "identity"]) {
            return Ok(AlterTableAction::DropIdentity { name, if_exists: self.if_exists() });
        }
        if self.eat_all(&["drop", "expression"]) {
            return Ok(AlterTableAction::DropExpression { name, if_exists: self.if_exists() });
        }
        if self.eat_all(&["add", "generated"]) {
            let always = self.eat("always");
            if !always {
                self.expect("by")?;
                self.expect("default")?;
            }
            self.expect("as")?;
            self.expect("identity")?;
            let options = if self.is_mark('(') {
                self.in_parens(Parser::sequence_options)?
            } else {
                SequenceOptions::default()
            };
            return Ok(AlterTableAction::AddIdentity { name, always, options });
        }
        if self.is("restart")
            || (self.is("set")
                && ["generated", "start", "increment", "minvalue", "maxvalue", "cycle", "no", "restart"]
                    .iter()
                    .any(|word| self.is_at(1, word)))
        {
            return self.set_identity(name);
        }
        Ok(AlterTableAction::ColumnOption(self.raw_until(|parser| parser.is_mark(','))))
    }

    fn set_identity(&mut self, name: String) -> Parsed<AlterTableAction> {
        let (mut always, mut options) = (None, SequenceOptions::default());
        while self.is("set") || self.is("restart") {
            self.eat("set");
            if self.eat("generated") {
                let said = self.eat("always");
                if !said {
                    self.expect("by")?;
                    self.expect("default")?;
                }
                always = Some(said);
            } else {
                options = self.sequence_options()?;
            }
        }
        Ok(AlterTableAction::SetIdentity { name, always, options })
    }

    fn alter_type(&mut self) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        if self.eat_all(&["add", "value"]) {
            let if_not_exists = self.if_not_exists();
            let label = self.string()?;
            let before = if self.eat("before") { Some(self.string()?) } else { None };
            let after = if self.eat("after") { Some(self.string()?) } else { None };
            return Ok(StatementKind::AlterType {
                name,
                action: AlterTypeAction::AddValue { label, if_not_exists, before, after },
            });
        }
        if self.eat_all(&["rename", "value"]) {
            let from = self.string()?;
            self.expect("to")?;
            let to = self.string()?;
            return Ok(StatementKind::AlterType { name, action: AlterTypeAction::RenameValue { from, to } });
        }
        if self.eat_all(&["add", "attribute"]) {
            let field = self.ident()?;
            let ty = self.type_name()?;
            self.rest();
            return Ok(StatementKind::AlterType { name, action: AlterTypeAction::AddAttribute(field, ty) });
        }
        if self.eat_all(&["drop", "attribute"]) {
            self.if_exists();
            let field = self.ident()?;
            self.rest();
            return Ok(StatementKind::AlterType { name, action: AlterTypeAction::DropAttribute(field) });
        }
        if self.is("rename") || self.is("owner") || self.is("set") {
            let action = self.object_action()?;
            return Ok(StatementKind::AlterObject {
                object: "type".to_owned(),
                name,
                on: None,
                arguments: None,
                action,
            });
        }
        Ok(StatementKind::AlterType { name, action: AlterTypeAction::Other(self.words()) })
    }

    fn alter_sequence(&mut self) -> Parsed<StatementKind> {
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        if self.is("rename") || self.is("owner") || self.is("set") {
            let action = self.object_action()?;
            return Ok(StatementKind::AlterObject {
                object: "sequence".to_owned(),
                name,
                on: None,
                arguments: None,
                action,
            });
        }
        Ok(StatementKind::AlterSequence { name, if_exists, options: self.sequence_options()? })
    }

    fn alter_object(&mut self, object: String) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        let arguments = if self.is_mark('(') { Some(self.argument_types()?) } else { None };
        let on = if self.eat("on") { Some(self.object_name()?) } else { None };
        let action = self.object_action()?;
        Ok(StatementKind::AlterObject { object, name, on, arguments, action })
    }

    fn object_action(&mut self) -> Parsed<AlterObjectAction> {
        if self.eat_all(&["rename", "to"]) {
            return Ok(AlterObjectAction::RenameTo(self.ident()?));
        }
        if self.eat_all(&["owner", "to"]) {
            return Ok(AlterObjectAction::OwnerTo(self.ident()?));
        }
        if self.eat_all(&["set", "schema"]) {
            return Ok(AlterObjectAction::SetSchema(self.ident()?));
        }
        if FUNCTION_OPTIONS.iter().any(|word| self.is(word)) {
            return Ok(AlterObjectAction::Options(self.function_options()));
        }
        Ok(AlterObjectAction::Other(self.words()))
    }

    /// What `alter function` changes, one entry for each option, in lower case.
    fn function_options(&mut self) -> Vec<String> {
        let mut options = Vec::new();
        while !self.done() {
            let start = self.start();
            self.at += 1;
            while !self.done() && (self.goes_on() || !FUNCTION_OPTIONS.iter().any(|word| self.is(word))) {
                self.at += 1;
            }
            options.push(self.source(self.since(start)).to_lowercase());
        }
        options
    }

    /// Whether a word belongs to what stands before it, whatever else it may begin.
    fn goes_on(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let word = before.map(|placed| self.source(placed.span).to_lowercase()).unwrap_or_default();
        ["=", ",", "to", "set", "reset", "external", "not"].contains(&word.as_str())
    }

    fn alter_publication(&mut self) -> Parsed<StatementKind> {
        if self.is_at(1, "owner") || self.is_at(1, "rename") {
            return self.alter_object("publication".to_owned());
        }
        let name = self.ident()?;
        let action = if self.eat_all(&["add", "table"]) {
            PublicationAction::Add(self.publication_tables()?)
        } else if self.eat_all(&["drop", "table"]) {
            PublicationAction::Drop(self.publication_tables()?)
        } else if self.eat_all(&["set", "table"]) {
            PublicationAction::Set(self.publication_tables()?)
        } else {
            PublicationAction::Other(self.words())
        };
        self.rest();
        Ok(StatementKind::Publication { name, action })
    }
}
