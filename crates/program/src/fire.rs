//! Trigger functions: the row before and after as `old` and `new`, and what is being done as `tg_…`.

use std::sync::Arc;

use catalog::TableId;
use query::{FunctionId, Transition};
use types::value::Array;
use types::{Code, Error, Name, Result, Type, Value};

use crate::call::within;
use crate::environment::{Environment, Held, Kind, Shape, TransitionTable, Variable, shape_of};
use crate::host::Host;

/// What a trigger function is called for.
#[derive(Clone, Debug)]
pub struct Firing {
    /// The trigger's name.
    pub trigger: Arc<str>,
    /// The table.
    pub table: TableId,
    /// `BEFORE`, `AFTER`, `INSTEAD OF`
    pub when: &'static str,
    /// `ROW`, `STATEMENT`
    pub level: &'static str,
    /// `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`
    pub operation: &'static str,
    /// The row before.
    pub old: Option<Vec<Value>>,
    /// The row after.
    pub new: Option<Vec<Value>>,
    /// The trigger's own arguments.
    pub arguments: Vec<String>,
    /// The names of its transition tables.
    pub transitions: Vec<(Arc<str>, Transition)>,
}

/// Fires a trigger function; the row that it returns, in the order of the table's columns.
///
/// # Errors
/// What the function raises; `39P01` for one that is no trigger function.
pub async fn fire(host: &mut dyn Host, id: FunctionId, firing: Firing) -> Result<Option<Vec<Value>>> {
    let model = host.model().clone();
    let function = model.catalog.functions.get(id.0);
    let function = function.ok_or_else(|| Error::internal("a trigger without a function"))?;
    if !function.returns_trigger {
        let message = format!("function {} was not called by trigger manager", function.name.name);
        return Err(Error::raised("39P01", message));
    }
    let table = &model.catalog[firing.table].name;
    let shape = shape_of(&model.catalog, table).ok_or_else(|| Error::internal("a table without columns"))?;
    let environment = environment(&function.name.name, table, &shape, firing)?;
    let results = within(host, id, function, environment).await?;
    let value = results.value.unwrap_or(Value::Null);
    match crate::convert::fields(&value, &shape, host.session())? {
        None => Ok(None),
        Some(fields) if fields.len() == shape.len() => Ok(Some(fields)),
        Some(_) => Err(Error::new(
            Code::DATATYPE_MISMATCH,
            "returned row structure does not match the structure of the triggering table",
        )
        .without_context("a row that a trigger function returns")),
    }
}

/// The variables of a function that is fired for a table, without values.
pub(crate) fn dry(
    catalog: &catalog::Catalog,
    label: &str,
    table: TableId,
    trigger: &catalog::Trigger,
) -> Result<Environment> {
    let name = &catalog[table].name;
    let shape = shape_of(catalog, name).ok_or_else(|| Error::internal("a table without columns"))?;
    let firing = Firing {
        trigger: "".into(),
        table,
        when: "",
        level: "",
        operation: "",
        old: None,
        new: None,
        arguments: Vec::new(),
        transitions: query::triggers::transitions(&trigger.statement),
    };
    environment(label, name, &shape, firing)
}

fn environment(label: &str, table: &Name, shape: &Shape, firing: Firing) -> Result<Environment> {
    let mut environment = Environment::default();
    environment.enter(Some(label));
    let transition = |(name, rows)| TransitionTable { name, table: firing.table, rows };
    environment.transitions = firing.transitions.into_iter().map(transition).collect();
    let row = |name: &str, values: Option<Vec<Value>>| {
        let held = match values {
            Some(values) => Held::Row(shape.clone(), Some(values)),
            // PostgreSQL's rows are there at statement level and of the other operation, too, and null.
            None => Held::Row(shape.clone(), None),
        };
        Variable { held, ..Variable::new(name, Kind::Row { name: table.clone(), shape: shape.clone() }) }
    };
    environment.declare(row("old", firing.old));
    environment.declare(row("new", firing.new));
    let text = |text: &str| Value::text(text);
    let count = u32::try_from(firing.arguments.len()).map_err(Error::internal)?;
    let arguments = Array {
        dimensions: if count == 0 { Vec::new() } else { vec![count] },
        elements: firing.arguments.iter().map(|argument| Value::text(argument.as_str())).collect(),
    };
    let facts = [
        ("tg_name", Type::Text, text(&firing.trigger)),
        ("tg_when", Type::Text, text(firing.when)),
        ("tg_level", Type::Text, text(firing.level)),
        ("tg_op", Type::Text, text(firing.operation)),
        ("tg_relname", Type::Text, text(&table.name)),
        ("tg_table_name", Type::Text, text(&table.name)),
        ("tg_table_schema", Type::Text, text(&table.schema)),
        ("tg_nargs", Type::Int4, Value::Int(count.into())),
        ("tg_argv", Type::Text.array(), Value::Array(arguments.into())),
        ("found", Type::Bool, Value::Bool(false)),
    ];
    for (name, ty, value) in facts {
        environment.declare(Variable::scalar(name, ty, value));
    }
    Ok(environment)
}
