//! `grant`, `revoke`, `alter default privileges`.

use super::{Parsed, Parser};
use crate::ast::{Grant, GrantTarget, StatementKind};
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn grant_statement(&mut self) -> Parsed<StatementKind> {
        let grant = self.ident()? == "grant";
        if !self.privileges_ahead() {
            return self.grant_role(grant);
        }
        Ok(StatementKind::Grant(self.grant(grant)?))
    }

    /// Whether `on` comes before `to` or `from`: a grant of privileges, not of roles.
    fn privileges_ahead(&self) -> bool {
        for placed in self.tokens.iter().skip(self.at) {
            match &placed.token {
                Token::Word(word) if word == "on" => return true,
                Token::Word(word) if word == "to" || word == "from" => return false,
                _ => {}
            }
        }
        false
    }

    fn grant_role(&mut self, grant: bool) -> Parsed<StatementKind> {
        self.eat_all(&["admin", "option", "for"]);
        let roles = self.comma_list(Parser::ident)?;
        if !self.eat("to") {
            self.expect("from")?;
        }
        let members = self.comma_list(Parser::ident)?;
        self.rest();
        Ok(StatementKind::GrantRole { grant, roles, members })
    }

    /// What stands behind `grant` or `revoke`.
    pub(super) fn grant(&mut self, grant: bool) -> Parsed<Grant> {
        let option_only = self.eat_all(&["grant", "option", "for"]);
        let (mut privileges, mut all_columns) = (Vec::new(), Vec::new());
        if self.eat("all") {
            self.eat("privileges");
            if self.is_mark('(') {
                all_columns = self.ident_list()?;
            }
        } else {
            privileges = self.comma_list(|parser| {
                let name = parser.ident()?;
                let columns = if parser.is_mark('(') { parser.ident_list()? } else { Vec::new() };
                Ok((name, columns))
            })?;
        }
        self.expect("on")?;
        let target = self.grant_target()?;
        if !self.eat("to") {
            self.expect("from")?;
        }
        let roles = self.comma_list(|parser| {
            parser.eat("group");
            parser.ident()
        })?;
        let cascade = self.rest().to_lowercase().contains("cascade");
        Ok(Grant { grant, privileges, all_columns, target, roles, option_only, cascade })
    }

    fn grant_target(&mut self) -> Parsed<GrantTarget> {
        if self.eat("all") {
            let kind = self.ident()?;
            self.expect("in")?;
            self.expect("schema")?;
            let schemas = self.comma_list(Parser::ident)?;
            return Ok(all_of(&kind, schemas));
        }
        if self.eat("schema") {
            return Ok(GrantTarget::Schemas(self.comma_list(Parser::ident)?));
        }
        if self.eat("sequence") {
            return Ok(GrantTarget::Sequences(self.comma_list(Parser::object_name)?));
        }
        if self.eat("function") || self.eat("procedure") || self.eat("routine") {
            return Ok(GrantTarget::Functions(self.comma_list(|parser| {
                let name = parser.object_name()?;
                let arguments = if parser.is_mark('(') { Some(parser.argument_types()?) } else { None };
                Ok((name, arguments))
            })?));
        }
        if self.eat("type") || self.eat("domain") {
            return Ok(GrantTarget::Types(self.comma_list(Parser::object_name)?));
        }
        // Of default privileges: kinds of objects without names.
        for kind in ["tables", "sequences", "functions", "routines", "types", "schemas"] {
            if self.is(kind) && (self.is_at(1, "to") || self.is_at(1, "from")) {
                self.at += 1;
                return Ok(all_of(kind, Vec::new()));
            }
        }
        for kind in ["database", "language", "foreign", "large", "tablespace", "parameter"] {
            if self.is(kind) {
                return Ok(GrantTarget::Other(self.raw_until(|parser| parser.is("to") || parser.is("from"))));
            }
        }
        self.eat("table");
        Ok(GrantTarget::Tables(self.comma_list(Parser::object_name)?))
    }

    pub(super) fn default_privileges(&mut self) -> Parsed<StatementKind> {
        let (mut for_roles, mut in_schemas) = (Vec::new(), Vec::new());
        loop {
            if self.eat_all(&["for", "role"]) || self.eat_all(&["for", "user"]) {
                for_roles = self.comma_list(Parser::ident)?;
            } else if self.eat_all(&["in", "schema"]) {
                in_schemas = self.comma_list(Parser::ident)?;
            } else {
                break;
            }
        }
        let grant = self.ident()? == "grant";
        Ok(StatementKind::DefaultPrivileges { for_roles, in_schemas, grant: self.grant(grant)? })
    }
}

fn all_of(kind: &str, schemas: Vec<String>) -> GrantTarget {
    match kind {
        "tables" => GrantTarget::AllTables(schemas),
        "sequences" => GrantTarget::AllSequences(schemas),
        "functions" | "routines" | "procedures" => GrantTarget::AllFunctions(schemas),
        other => GrantTarget::Other(other.to_owned()),
    }
}
