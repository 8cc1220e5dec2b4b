//! `comment on`

use sql::ast::{ObjectName, TypeName};
use types::{Code, Error, Result, Span};

use super::policies::policy_position;
use super::resolve::constraint_names;
use super::{Builder, Outcome};

impl Builder<'_> {
    pub(super) fn comment(
        &mut self,
        object: &str,
        name: &[String],
        on: Option<&ObjectName>,
        arguments: Option<&[TypeName]>,
        text: Option<&String>,
    ) -> Result<Outcome> {
        let text = text.filter(|text| !text.is_empty()).cloned();
        let named = object_name(name);
        match object {
            "table" | "view" | "materialized view" => {
                let id = self.table(&named)?;
                self.table_mut(id).comment = text;
            }
            "column" => {
                let (column, table) = name
                    .split_last()
                    .ok_or_else(|| Error::new(Code::SYNTAX, "column name must be qualified"))?;
                let id = self.table(&object_name(table))?;
                let column = self.column_id(id, column)?;
                self.column_mut(id, column).comment = text;
            }
            "function" | "procedure" | "routine" => {
                let at = self.function_position(&named, arguments)?;
                self.catalog.functions[at].comment = text;
            }
            "index" => self.comment_index(&named, text)?,
            "type" | "domain" => {
                let name = self.user_type(&named)?;
                self.catalog.type_comments.remove(&name);
                self.catalog.type_comments.extend(text.map(|text| (name, text)));
            }
            "schema" => {
                let schema = self.names().schema(&named.name)?;
                self.catalog.schema_comments.remove(&schema);
                self.catalog.schema_comments.extend(text.map(|text| (schema, text)));
            }
            "policy" | "trigger" | "constraint" => self.comment_part(object, &named, on, text)?,
            "extension" | "role" | "database" | "publication" | "sequence" => return Ok(Outcome::NoEffect),
            other => return Err(Error::missing(format!("comment on {other}"))),
        }
        Ok(Outcome::Applied)
    }

    fn comment_index(&mut self, name: &ObjectName, text: Option<String>) -> Result<()> {
        let (id, index) = self.index_of(name).ok_or_else(|| self.names().no_relation(name))?;
        if let Some(index) = self.table_mut(id).indexes.iter_mut().find(|other| other.name == index) {
            index.comment = text;
        }
        Ok(())
    }

    /// Comments on what a table has. Those of triggers and constraints are checked and not kept: nobody reads them.
    fn comment_part(
        &mut self,
        kind: &str,
        name: &ObjectName,
        on: Option<&ObjectName>,
        text: Option<String>,
    ) -> Result<()> {
        let on = on.ok_or_else(|| Error::new(Code::SYNTAX, format!("comment on {kind} needs a table")))?;
        let id = self.table(on)?;
        let table = &self.catalog[id];
        let exists = match kind {
            "policy" => {
                let at = policy_position(table, &name.name)?;
                self.table_mut(id).policies[at].comment = text;
                true
            }
            "trigger" => table.triggers.iter().any(|trigger| *trigger.name == *name.name),
            _ => constraint_names(table).any(|constraint| **constraint == *name.name),
        };
        if exists {
            return Ok(());
        }
        let message =
            format!("{kind} \"{}\" for table \"{}\" does not exist", name.name, self.catalog[id].name.name);
        Err(Error::new(Code::UNDEFINED_OBJECT, message))
    }
}

/// The last two parts of a name as written.
fn object_name(parts: &[String]) -> ObjectName {
    let name = parts.last().cloned().unwrap_or_default();
    let schema = parts.len().checked_sub(2).map(|at| parts[at].clone());
    ObjectName { schema, name, span: Span::default() }
}
