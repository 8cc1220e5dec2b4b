//! The syntax tree: what a text says, before anything is looked up.
//!
//! Names are folded and unquoted. Spans never decide equality (see [`types::Span`]), so two trees are equal when they
//! say the same.

use types::Span;

/// A statement with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// Where it stands, without the semicolon.
    pub span: Span,
}

/// A name with an optional schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// The schema, if it was said.
    pub schema: Option<String>,
    /// The object's own name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A type as written, with PostgreSQL's canonical name (`int4`, `timestamptz`, `bpchar`, …).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// Its name; serial types keep theirs.
    pub name: ObjectName,
    /// What stands in parentheses behind it: `varchar(10)`, `numeric(10, 2)`, `geometry(point, 4326)`.
    pub modifiers: Vec<String>,
    /// How many `[]`.
    pub array_dims: u8,
    /// `setof`
    pub setof: bool,
    /// The column whose type it takes: `table.column%type` (the name is the table's).
    pub of_column: Option<String>,
}

/// An expression with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it says.
    pub kind: Box<ExprKind>,
    /// Where it stands.
    pub span: Span,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A column, possibly qualified: `[schema, table, column]`.
    Column(Vec<String>),
    /// `*` or `table.*`
    Star(Vec<String>),
    /// `$1`
    Param(u32),
    /// A prefix operator: `-`, `+`, `@`, `~`, …
    Unary {
        /// The symbol.
        op: String,
        /// The operand.
        expr: Expr,
    },
    /// A binary operator, custom ones included; comparison too.
    Binary {
        /// The left operand.
        left: Expr,
        /// The symbol.
        op: String,
        /// The right operand.
        right: Expr,
    },
    /// `and` over two or more.
    And(Vec<Expr>),
    /// `or` over two or more.
    Or(Vec<Expr>),
    /// `not`
    Not(Expr),
    /// `is [not] null`
    IsNull {
        /// The operand.
        expr: Expr,
        /// `not`
        negated: bool,
    },
    /// `is [not] true | false | unknown` (`None` is unknown)
    IsBool {
        /// The operand.
        expr: Expr,
        /// Which.
        value: Option<bool>,
        /// `not`
        negated: bool,
    },
    /// `is [not] distinct from`
    IsDistinct {
        /// The left operand.
        left: Expr,
        /// The right operand.
        right: Expr,
        /// `not`
        negated: bool,
    },
    /// `[not] between [symmetric] … and …`
    Between {
        /// The operand.
        expr: Expr,
        /// The lower bound.
        low: Expr,
        /// The upper bound.
        high: Expr,
        /// `symmetric`
        symmetric: bool,
        /// `not`
        negated: bool,
    },
    /// `[not] in (a, b, …)`
    InList {
        /// The operand.
        expr: Expr,
        /// The list.
        list: Vec<Expr>,
        /// `not`
        negated: bool,
    },
    /// `[not] in (select …)`
    InSubquery {
        /// The operand.
        expr: Expr,
        /// The subquery.
        query: Box<Query>,
        /// `not`
        negated: bool,
    },
    /// `expr op any | all (array)`
    Quantified {
        /// The left operand.
        expr: Expr,
        /// The operator.
        op: String,
        /// `all` instead of `any`/`some`.
        all: bool,
        /// The array.
        array: Expr,
    },
    /// `expr op any | all (select …)`
    QuantifiedSubquery {
        /// The left operand.
        expr: Expr,
        /// The operator.
        op: String,
        /// `all` instead of `any`/`some`.
        all: bool,
        /// The subquery.
        query: Box<Query>,
    },
    /// `[not] like | ilike | similar to … [escape …]`
    Like {
        /// The operand.
        expr: Expr,
        /// The pattern.
        pattern: Expr,
        /// Which.
        kind: LikeKind,
        /// The escape character.
        escape: Option<Expr>,
        /// `not`
        negated: bool,
    },
    /// `case [operand] when … then … [else …] end`
    Case {
        /// The operand of a simple case.
        operand: Option<Expr>,
        /// Conditions (or values) and results.
        branches: Vec<(Expr, Expr)>,
        /// `else`
        otherwise: Option<Expr>,
    },
    /// `expr::type`, `cast(expr as type)`, `type 'literal'`
    Cast {
        /// What is converted.
        expr: Expr,
        /// To which type.
        ty: TypeName,
    },
    /// A call, including what SQL writes in special syntax: `coalesce`, `nullif`, `greatest`, `least`, `extract(field from x)`
    /// (as `extract('field', x)`), `x at time zone z` (as `timezone(z, x)`), `current_timestamp`, `substring(x from a for b)`, `trim(…)`
    /// (as `btrim`/`ltrim`/`rtrim`), `position(a in b)` (as `position(b, a)`, PostgreSQL's own order), `overlay(…)`.
    Call(Call),
    /// `array[a, b]`
    Array(Vec<Expr>),
    /// `array(select …)`
    ArraySubquery(Box<Query>),
    /// `row(a, b)` or `(a, b)`
    Row(Vec<Expr>),
    /// `expr[index]`
    Index {
        /// The array.
        expr: Expr,
        /// The index.
        index: Expr,
    },
    /// `expr[low:high]`
    Slice {
        /// The array.
        expr: Expr,
        /// The lower bound.
        low: Option<Expr>,
        /// The upper bound.
        high: Option<Expr>,
        /// Whether a subscript behind it is one of its result: `(expr[low:high])[index]`.
        enclosed: bool,
    },
    /// `(expr).field`
    Field {
        /// The composite value.
        expr: Expr,
        /// The field; `*` is all.
        field: String,
    },
    /// `exists (select …)`
    Exists(Box<Query>),
    /// `(select …)`
    Subquery(Box<Query>),
    /// `expr collate name`
    Collate {
        /// The operand.
        expr: Expr,
        /// The collation.
        collation: ObjectName,
    },
    /// `default` in a values list or an assignment
    Default,
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Digits without point or exponent.
    Integer(String),
    /// A number with a point or an exponent.
    Numeric(String),
    /// A string, escapes decoded.
    String(String),
    /// `B'…'` or `X'…'`, with its letter.
    Bits(String),
}

/// Which pattern match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LikeKind {
    /// `like`
    Like,
    /// `ilike`
    Ilike,
    /// `similar to`
    Similar,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub name: ObjectName,
    /// The arguments.
    pub args: Vec<Argument>,
    /// `f(*)`
    pub star: bool,
    /// `distinct`
    pub distinct: bool,
    /// `order by` inside the parentheses.
    pub order_by: Vec<OrderItem>,
    /// `within group (order by …)`
    pub within_group: Vec<OrderItem>,
    /// `filter (where …)`
    pub filter: Option<Expr>,
    /// `over (…)`
    pub over: Option<Window>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name => value`
    pub name: Option<String>,
    /// `variadic value`
    pub variadic: bool,
    /// The value.
    pub value: Expr,
}

/// A window.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Window {
    /// A window of the `window` clause.
    pub name: Option<String>,
    /// `partition by`
    pub partition_by: Vec<Expr>,
    /// `order by`
    pub order_by: Vec<OrderItem>,
    /// The frame clause as written.
    pub frame: Option<String>,
}

/// A key of `order by`.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderItem {
    /// The key.
    pub expr: Expr,
    /// `desc`
    pub descending: bool,
    /// `nulls first` (true) or `nulls last` (false), if said.
    pub nulls_first: Option<bool>,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `with`
    pub with: Option<With>,
    /// The select, set operation or values.
    pub body: QueryBody,
    /// `order by`
    pub order_by: Vec<OrderItem>,
    /// `limit`
    pub limit: Option<Expr>,
    /// `offset`
    pub offset: Option<Expr>,
    /// `for update` and the like, as written.
    pub locking: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// `with`
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    /// `recursive`
    pub recursive: bool,
    /// The common table expressions.
    pub ctes: Vec<Cte>,
}

/// A common table expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its column names.
    pub columns: Vec<String>,
    /// `materialized` (true) or `not materialized` (false), if said.
    pub materialized: Option<bool>,
    /// Its body: a query or a data-modifying statement.
    pub body: Box<StatementKind>,
}

/// What a query's rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryBody {
    /// `select`
    Select(Box<Select>),
    /// `union`, `intersect`, `except`
    SetOperation {
        /// Which.
        op: SetOperator,
        /// `all`
        all: bool,
        /// The left side.
        left: Box<Query>,
        /// The right side.
        right: Box<Query>,
    },
    /// `values`
    Values(Vec<Vec<Expr>>),
}

/// Which set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// `union`
    Union,
    /// `intersect`
    Intersect,
    /// `except`
    Except,
}

/// A select.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Select {
    /// `distinct`
    pub distinct: Distinct,
    /// The targets.
    pub targets: Vec<Target>,
    /// `from`
    pub from: Vec<FromItem>,
    /// `where`
    pub filter: Option<Expr>,
    /// `group by`; grouping sets, rollup and cube as calls of those names.
    pub group_by: Vec<Expr>,
    /// `having`
    pub having: Option<Expr>,
    /// `window`
    pub windows: Vec<(String, Window)>,
}

/// `distinct`
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Distinct {
    /// Not said.
    #[default]
    No,
    /// `distinct`
    All,
    /// `distinct on (…)`
    On(Vec<Expr>),
}

/// A select target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The value.
    pub expr: Expr,
    /// `as name`
    pub alias: Option<String>,
}

/// An alias with column names.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// Column names.
    pub columns: Vec<String>,
}

/// An item of `from`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a query has few of them, read once")]
pub enum FromItem {
    /// A table, view or common table expression.
    Table {
        /// Its name.
        name: ObjectName,
        /// `only`
        only: bool,
        /// Its alias.
        alias: Option<Alias>,
    },
    /// A subquery.
    Subquery {
        /// `lateral`
        lateral: bool,
        /// The subquery.
        query: Box<Query>,
        /// Its alias.
        alias: Option<Alias>,
    },
    /// A function.
    Function {
        /// `lateral`
        lateral: bool,
        /// The call.
        call: Call,
        /// `with ordinality`
        ordinality: bool,
        /// Its alias.
        alias: Option<Alias>,
        /// Column definitions of a record function.
        definitions: Vec<(String, TypeName)>,
    },
    /// `rows from (f(…), g(…))`: functions side by side.
    Functions {
        /// `lateral`
        lateral: bool,
        /// The calls, each with the column definitions of a record function.
        calls: Vec<(Call, Vec<(String, TypeName)>)>,
        /// `with ordinality`
        ordinality: bool,
        /// Its alias.
        alias: Option<Alias>,
    },
    /// A join.
    Join {
        /// Which.
        kind: JoinKind,
        /// The left side.
        left: Box<FromItem>,
        /// The right side.
        right: Box<FromItem>,
        /// Under which condition.
        condition: JoinCondition,
    },
}

/// Which join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `[inner] join`
    Inner,
    /// `left [outer] join`
    Left,
    /// `right [outer] join`
    Right,
    /// `full [outer] join`
    Full,
    /// `cross join`
    Cross,
}

/// The condition of a join.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    /// None: a cross join.
    None,
    /// `on`
    On(Expr),
    /// `using (…)`
    Using(Vec<String>),
    /// `natural`
    Natural,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// A select or values.
    Query(Query),
    /// `insert`
    Insert(Insert),
    /// `update`
    Update(Update),
    /// `delete`
    Delete(Delete),
    /// `create table`
    CreateTable(CreateTable),
    /// `create table … as`
    CreateTableAs {
        /// Its name.
        name: ObjectName,
        /// The query.
        query: Box<Query>,
        /// `if not exists`
        if_not_exists: bool,
        /// `temporary`
        temporary: bool,
    },
    /// `alter table`
    AlterTable(AlterTable),
    /// `create policy`
    CreatePolicy(CreatePolicy),
    /// `alter policy`
    AlterPolicy(AlterPolicy),
    /// `create index`
    CreateIndex(CreateIndex),
    /// `create type … as enum`
    CreateEnum {
        /// Its name.
        name: ObjectName,
        /// Its labels in order.
        labels: Vec<String>,
    },
    /// `create type … as (…)`
    CreateComposite {
        /// Its name.
        name: ObjectName,
        /// Its fields.
        fields: Vec<(String, TypeName)>,
    },
    /// `alter type`
    AlterType {
        /// The type.
        name: ObjectName,
        /// What is changed.
        action: AlterTypeAction,
    },
    /// `create domain`
    CreateDomain {
        /// Its name.
        name: ObjectName,
        /// The base type.
        ty: TypeName,
        /// `default`
        default: Option<Expr>,
        /// `not null`, `null` and `check` constraints.
        constraints: Vec<ColumnConstraint>,
    },
    /// `create sequence`
    CreateSequence {
        /// Its name.
        name: ObjectName,
        /// `if not exists`
        if_not_exists: bool,
        /// `temporary`
        temporary: bool,
        /// Its options.
        options: SequenceOptions,
    },
    /// `alter sequence`
    AlterSequence {
        /// The sequence.
        name: ObjectName,
        /// `if exists`
        if_exists: bool,
        /// Its new options.
        options: SequenceOptions,
    },
    /// `create view`
    CreateView(CreateView),
    /// `create function`, `create procedure`
    CreateFunction(CreateFunction),
    /// `create trigger`
    CreateTrigger(CreateTrigger),
    /// `create rule … do instead nothing`
    CreateRule(CreateRule),
    /// `create schema`
    CreateSchema {
        /// Its name.
        name: String,
        /// `if not exists`
        if_not_exists: bool,
    },
    /// `create extension`
    CreateExtension {
        /// Its name.
        name: String,
        /// `if not exists`
        if_not_exists: bool,
        /// `with schema`
        schema: Option<String>,
    },
    /// `create cast`
    CreateCast {
        /// The type that is converted.
        from: TypeName,
        /// What it is converted to.
        to: TypeName,
        /// What converts; none for `with inout` and `without function`.
        function: Option<ObjectName>,
    },
    /// `create role`, `create user`, `alter role`
    Role {
        /// Its name.
        name: String,
        /// `alter` instead of `create`.
        alter: bool,
        /// Its options as written, lower case: `bypassrls`, `nologin`, `superuser`, `in role x`, …
        options: Vec<String>,
    },
    /// `grant`, `revoke` on objects
    Grant(Grant),
    /// `grant role to role`, `revoke role from role`
    GrantRole {
        /// `grant` instead of `revoke`.
        grant: bool,
        /// The roles granted.
        roles: Vec<String>,
        /// To whom.
        members: Vec<String>,
    },
    /// `alter default privileges`
    DefaultPrivileges {
        /// `for role`
        for_roles: Vec<String>,
        /// `in schema`
        in_schemas: Vec<String>,
        /// What is granted or revoked; its target's objects are empty.
        grant: Grant,
    },
    /// `comment on`
    Comment {
        /// The kind of object, lower case: `table`, `column`, `function`, …
        object: String,
        /// Its name parts as written, folded: `[schema, table, column]`.
        name: Vec<String>,
        /// The table of a policy, trigger or constraint.
        on: Option<ObjectName>,
        /// Argument types of a function, if said.
        arguments: Option<Vec<TypeName>>,
        /// The comment; `None` removes it.
        text: Option<String>,
    },
    /// `drop …`
    Drop(Drop),
    /// `alter <object> … rename to`, `… owner to`, `… set schema` of anything but tables
    AlterObject {
        /// The kind of object, lower case.
        object: String,
        /// Its name.
        name: ObjectName,
        /// The table of a policy or trigger.
        on: Option<ObjectName>,
        /// Argument types of a function, if said.
        arguments: Option<Vec<TypeName>>,
        /// What is changed.
        action: AlterObjectAction,
    },
    /// `create publication`, `alter publication`
    Publication {
        /// Its name.
        name: String,
        /// What is done.
        action: PublicationAction,
    },
    /// `do`
    Do {
        /// The language, `plpgsql` if not said.
        language: String,
        /// The body.
        body: String,
        /// Where the body's text stands.
        body_span: Span,
    },
    /// `set [local | session] name = value`
    Set {
        /// `local`
        local: bool,
        /// The setting.
        name: String,
        /// The values; empty is `default`.
        values: Vec<String>,
    },
    /// `reset name`
    Reset(String),
    /// `set constraints {all | name, …} {deferred | immediate}`
    SetConstraints {
        /// Which; none are all.
        names: Vec<ObjectName>,
        /// `deferred`
        deferred: bool,
    },
    /// `begin`, `commit`, `rollback`, `savepoint`, …, by its leading words.
    Transaction(String),
    /// `refresh materialized view`
    Refresh {
        /// The view.
        name: ObjectName,
        /// `with data`, unless `with no data` was said.
        with_data: bool,
    },
    /// `truncate`
    Truncate {
        /// The tables.
        tables: Vec<ObjectName>,
        /// Whether `only` stands before one of them.
        only: bool,
        /// `restart identity`
        restart: bool,
        /// `cascade`
        cascade: bool,
    },
    /// `lock`
    Lock {
        /// The tables.
        tables: Vec<ObjectName>,
        /// The mode in small letters; empty is the strongest.
        mode: String,
    },
    /// `notify`
    Notify {
        /// The channel.
        channel: String,
        /// The payload.
        payload: Option<String>,
    },
    /// Anything else, by its leading words.
    Other(String),
}

/// `insert`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// `with`
    pub with: Option<With>,
    /// The table.
    pub table: ObjectName,
    /// Its alias.
    pub alias: Option<String>,
    /// The columns, if said.
    pub columns: Vec<String>,
    /// `overriding system value`
    pub overriding_system: bool,
    /// The rows: a query or values; `None` is `default values`.
    pub source: Option<Box<Query>>,
    /// `on conflict`
    pub on_conflict: Option<OnConflict>,
    /// `returning`
    pub returning: Vec<Target>,
}

/// `on conflict`
#[derive(Clone, Debug, PartialEq)]
pub struct OnConflict {
    /// What must conflict, if said.
    pub target: Option<ConflictTarget>,
    /// The update; `None` is `do nothing`.
    pub update: Option<ConflictUpdate>,
}

/// What must conflict.
#[derive(Clone, Debug, PartialEq)]
pub enum ConflictTarget {
    /// Columns or expressions, with the predicate of a partial index.
    Columns(Vec<Expr>, Option<Expr>),
    /// `on constraint`
    Constraint(String),
}

/// `do update set … where …`
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictUpdate {
    /// The assignments.
    pub set: Vec<Assignment>,
    /// `where`
    pub filter: Option<Expr>,
}

/// `column = value` or `(a, b) = (…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The columns.
    pub columns: Vec<String>,
    /// Which part of the only column.
    pub parts: Vec<crate::body::Part>,
    /// The value: for several columns a row or a subquery.
    pub value: Expr,
}

/// `update`
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `with`
    pub with: Option<With>,
    /// The table.
    pub table: ObjectName,
    /// `only`
    pub only: bool,
    /// Its alias.
    pub alias: Option<String>,
    /// The assignments.
    pub set: Vec<Assignment>,
    /// `from`
    pub from: Vec<FromItem>,
    /// `where`
    pub filter: Option<Expr>,
    /// `where current of`: the cursor.
    pub current_of: Option<String>,
    /// `returning`
    pub returning: Vec<Target>,
}

/// `delete`
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// `with`
    pub with: Option<With>,
    /// The table.
    pub table: ObjectName,
    /// `only`
    pub only: bool,
    /// Its alias.
    pub alias: Option<String>,
    /// `using`
    pub using: Vec<FromItem>,
    /// `where`
    pub filter: Option<Expr>,
    /// `where current of`: the cursor.
    pub current_of: Option<String>,
    /// `returning`
    pub returning: Vec<Target>,
}

/// `create table`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Its name.
    pub name: ObjectName,
    /// `if not exists`
    pub if_not_exists: bool,
    /// `temporary`
    pub temporary: bool,
    /// The columns.
    pub columns: Vec<ColumnDefinition>,
    /// Table constraints.
    pub constraints: Vec<TableConstraint>,
    /// `like table`
    pub like: Vec<ObjectName>,
    /// `inherits`
    pub inherits: Vec<ObjectName>,
    /// `partition by …`
    pub partition_by: Option<PartitionBy>,
    /// `partition of parent …`
    pub partition_of: Option<PartitionOf>,
}

/// `partition by strategy (keys)`
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionBy {
    /// `range`, `list`, `hash`, or what else is written.
    pub strategy: String,
    /// What decides.
    pub keys: Vec<IndexKey>,
}

/// `partition of parent for values …`, or `attach partition …`
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionOf {
    /// The partitioned table; of `attach partition`, the table that becomes a partition.
    pub table: ObjectName,
    /// Which rows it takes.
    pub bound: PartitionBound,
}

/// Which rows a partition takes.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBound {
    /// `default`
    Default,
    /// `for values in (…)`
    In(Vec<Expr>),
    /// `for values from (…) to (…)`; `minvalue` and `maxvalue` stand there as columns of these names.
    Range {
        /// The first key.
        from: Vec<Expr>,
        /// The key after the last.
        to: Vec<Expr>,
    },
    /// `for values with (modulus …, remainder …)`
    Hash {
        /// `modulus`
        modulus: i64,
        /// `remainder`
        remainder: i64,
    },
}

/// A column of `create table` or `add column`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeName,
    /// `collate`
    pub collation: Option<ObjectName>,
    /// Its constraints in order.
    pub constraints: Vec<ColumnConstraint>,
    /// Where it stands.
    pub span: Span,
}

/// A constraint of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnConstraint {
    /// `constraint name`
    pub name: Option<String>,
    /// What it says.
    pub kind: ColumnConstraintKind,
    /// Where it stands.
    pub span: Span,
}

/// What a column constraint says.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnConstraintKind {
    /// `not null`
    NotNull,
    /// `null`
    Null,
    /// `default expr`
    Default(Expr),
    /// `generated always as (expr) stored` (or virtual)
    Generated(Expr),
    /// `generated … as identity`
    Identity {
        /// `always` instead of `by default`.
        always: bool,
        /// Options of its sequence.
        options: SequenceOptions,
    },
    /// `check (expr)`
    Check {
        /// The condition.
        expr: Expr,
        /// `no inherit`
        no_inherit: bool,
    },
    /// `unique`
    Unique {
        /// `nulls not distinct`
        nulls_not_distinct: bool,
        /// `deferrable`
        deferrable: bool,
        /// `initially deferred`
        initially_deferred: bool,
    },
    /// `primary key`
    PrimaryKey {
        /// `deferrable`
        deferrable: bool,
        /// `initially deferred`
        initially_deferred: bool,
    },
    /// `references`
    References(References),
}

/// `references table (columns) …`
#[derive(Clone, Debug, PartialEq)]
pub struct References {
    /// The referenced table.
    pub table: ObjectName,
    /// The referenced columns, if said.
    pub columns: Vec<String>,
    /// `match full`
    pub match_full: bool,
    /// `on delete`
    pub on_delete: ReferentialAction,
    /// `on update`
    pub on_update: ReferentialAction,
    /// `deferrable`
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
}

/// What a foreign key does.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum ReferentialAction {
    /// `no action`
    #[default]
    NoAction,
    /// `restrict`
    Restrict,
    /// `cascade`
    Cascade,
    /// `set null [(columns)]`
    SetNull(Vec<String>),
    /// `set default [(columns)]`
    SetDefault(Vec<String>),
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableConstraint {
    /// `constraint name`
    pub name: Option<String>,
    /// What it says.
    pub kind: TableConstraintKind,
    /// `not valid`
    pub not_valid: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a table constraint says.
#[derive(Clone, Debug, PartialEq)]
pub enum TableConstraintKind {
    /// `check (expr)`
    Check {
        /// The condition.
        expr: Expr,
        /// `no inherit`
        no_inherit: bool,
    },
    /// `unique (…)`
    Unique {
        /// The columns.
        columns: Vec<String>,
        /// `nulls not distinct`
        nulls_not_distinct: bool,
        /// `include (…)`
        include: Vec<String>,
        /// `using index name`
        using_index: Option<String>,
        /// `deferrable`
        deferrable: bool,
        /// `initially deferred`
        initially_deferred: bool,
    },
    /// `primary key (…)`
    PrimaryKey {
        /// The columns.
        columns: Vec<String>,
        /// `include (…)`
        include: Vec<String>,
        /// `using index name`
        using_index: Option<String>,
        /// `deferrable`
        deferrable: bool,
        /// `initially deferred`
        initially_deferred: bool,
    },
    /// `foreign key (…) references …`
    ForeignKey {
        /// The columns.
        columns: Vec<String>,
        /// What they reference.
        references: References,
    },
    /// `exclude …`
    Exclude(Box<Exclusion>),
}

/// `exclude using method (key with operator, …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Exclusion {
    /// `using`, `btree` if not said.
    pub method: String,
    /// Its keys, each with the operator that two rows must not all meet.
    pub keys: Vec<(IndexKey, String)>,
    /// `include (…)`
    pub include: Vec<String>,
    /// `where (…)`
    pub filter: Option<Expr>,
    /// `deferrable`
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
}

/// `alter table`
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable {
    /// The table or view.
    pub name: ObjectName,
    /// `if exists`
    pub if_exists: bool,
    /// `table`, `view`, `materialized view`, `index`, `sequence` or `foreign table`, as said.
    pub object: String,
    /// What is changed, in order.
    pub actions: Vec<AlterTableAction>,
}

/// One action of `alter table`.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTableAction {
    /// `add column`
    AddColumn {
        /// The column.
        column: ColumnDefinition,
        /// `if not exists`
        if_not_exists: bool,
    },
    /// `drop column`
    DropColumn {
        /// The column.
        name: String,
        /// `if exists`
        if_exists: bool,
        /// `cascade`
        cascade: bool,
    },
    /// `alter column … type`
    ColumnType {
        /// The column.
        name: String,
        /// The new type.
        ty: TypeName,
        /// `using`
        using: Option<Expr>,
    },
    /// `alter column … set default` (`None` drops it)
    ColumnDefault {
        /// The column.
        name: String,
        /// The default.
        default: Option<Expr>,
    },
    /// `alter column … set | drop not null`
    ColumnNotNull {
        /// The column.
        name: String,
        /// `set`
        not_null: bool,
    },
    /// `alter column … add generated … as identity`
    AddIdentity {
        /// The column.
        name: String,
        /// `always`
        always: bool,
        /// Options of its sequence.
        options: SequenceOptions,
    },
    /// `alter column … set generated …`
    SetIdentity {
        /// The column.
        name: String,
        /// `always`, if said.
        always: Option<bool>,
        /// New options of its sequence.
        options: SequenceOptions,
    },
    /// `alter column … drop identity`
    DropIdentity {
        /// The column.
        name: String,
        /// `if exists`
        if_exists: bool,
    },
    /// `alter column … drop expression`
    DropExpression {
        /// The column.
        name: String,
        /// `if exists`
        if_exists: bool,
    },
    /// `alter column … set statistics | storage | compression | (options)`: no meaning here, as written.
    ColumnOption(String),
    /// `add constraint`
    AddConstraint(TableConstraint),
    /// `drop constraint`
    DropConstraint {
        /// The constraint.
        name: String,
        /// `if exists`
        if_exists: bool,
        /// `cascade`
        cascade: bool,
    },
    /// `validate constraint`
    ValidateConstraint(String),
    /// `rename column`
    RenameColumn {
        /// The column.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `rename constraint`
    RenameConstraint {
        /// The constraint.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `rename to`
    RenameTo(String),
    /// `set schema`
    SetSchema(String),
    /// `owner to`
    OwnerTo(String),
    /// `enable | disable row level security`
    RowSecurity(bool),
    /// `force | no force row level security`
    ForceRowSecurity(bool),
    /// `enable | disable | enable replica | enable always trigger name` (`all`, `user`)
    Trigger {
        /// When it fires from then on.
        mode: TriggerMode,
        /// Its name.
        name: String,
    },
    /// `replica identity …`
    ReplicaIdentity(String),
    /// `set (name = value, …)`
    SetOptions(Vec<(String, String)>),
    /// `attach partition`
    AttachPartition(PartitionOf),
    /// `detach partition`
    DetachPartition(ObjectName),
    /// Anything else, by its leading words.
    Other(String),
}

/// Options of a sequence; what is not said is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SequenceOptions {
    /// `as type`
    pub ty: Option<TypeName>,
    /// `start with`
    pub start: Option<i64>,
    /// `increment by`
    pub increment: Option<i64>,
    /// `minvalue` (`Some(None)` is `no minvalue`)
    pub min: Option<Option<i64>>,
    /// `maxvalue` (`Some(None)` is `no maxvalue`)
    pub max: Option<Option<i64>>,
    /// `[no] cycle`
    pub cycle: Option<bool>,
    /// `owned by table.column` (`Some(None)` is `none`)
    pub owned_by: Option<Option<(ObjectName, String)>>,
    /// `restart [with]`
    pub restart: Option<Option<i64>>,
    /// `sequence name` of an identity column
    pub name: Option<ObjectName>,
}

/// The command of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyCommand {
    /// `all`
    All,
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// `create policy`
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePolicy {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: ObjectName,
    /// `permissive` (the default) or `restrictive`
    pub permissive: bool,
    /// `for`
    pub command: PolicyCommand,
    /// `to`; empty is `public`.
    pub roles: Vec<String>,
    /// `using`
    pub using: Option<Expr>,
    /// `with check`
    pub with_check: Option<Expr>,
}

/// `alter policy`
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPolicy {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: ObjectName,
    /// `rename to`
    pub rename: Option<String>,
    /// `to`, if said.
    pub roles: Option<Vec<String>>,
    /// `using`, if said.
    pub using: Option<Expr>,
    /// `with check`, if said.
    pub with_check: Option<Expr>,
}

/// `create index`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// Its name, if said.
    pub name: Option<String>,
    /// Its table.
    pub table: ObjectName,
    /// `unique`
    pub unique: bool,
    /// `if not exists`
    pub if_not_exists: bool,
    /// `using`, `btree` if not said.
    pub method: String,
    /// Its keys.
    pub keys: Vec<IndexKey>,
    /// `include (…)`
    pub include: Vec<String>,
    /// `nulls not distinct`
    pub nulls_not_distinct: bool,
    /// `where`
    pub filter: Option<Expr>,
}

/// A key of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// A column or another expression.
    pub expr: Expr,
    /// `collate`
    pub collation: Option<ObjectName>,
    /// The operator class.
    pub opclass: Option<ObjectName>,
    /// `desc`
    pub descending: bool,
    /// `nulls first` (true) or `nulls last` (false), if said.
    pub nulls_first: Option<bool>,
}

/// One action of `alter type`.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTypeAction {
    /// `add value`
    AddValue {
        /// The label.
        label: String,
        /// `if not exists`
        if_not_exists: bool,
        /// `before label`
        before: Option<String>,
        /// `after label`
        after: Option<String>,
    },
    /// `rename value`
    RenameValue {
        /// The label.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `add attribute`
    AddAttribute(String, TypeName),
    /// `drop attribute`
    DropAttribute(String),
    /// Anything else, by its leading words.
    Other(String),
}

/// `create view`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// Its name.
    pub name: ObjectName,
    /// `or replace`
    pub or_replace: bool,
    /// `materialized`
    pub materialized: bool,
    /// `if not exists`
    pub if_not_exists: bool,
    /// Its column names, if said.
    pub columns: Vec<String>,
    /// `with (name = value, …)`, values lower case; `true` where none was said.
    pub options: Vec<(String, String)>,
    /// Its query.
    pub query: Box<Query>,
    /// `with [local | cascaded] check option`
    pub check_option: Option<CheckOption>,
    /// Of a materialized view `with data`, unless `with no data` was said.
    pub with_data: bool,
}

/// The mode of a function's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentMode {
    /// `in`
    In,
    /// `out`
    Out,
    /// `inout`
    InOut,
    /// `variadic`
    Variadic,
    /// A column of `returns table`.
    Table,
}

/// An argument of a declared function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionArgument {
    /// Its name.
    pub name: Option<String>,
    /// Its type.
    pub ty: TypeName,
    /// Its mode.
    pub mode: ArgumentMode,
    /// `default`
    pub default: Option<Expr>,
}

/// Volatility as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// `immutable`
    Immutable,
    /// `stable`
    Stable,
    /// `volatile`
    Volatile,
}

/// `create function`, `create procedure`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateFunction {
    /// Its name.
    pub name: ObjectName,
    /// `or replace`
    pub or_replace: bool,
    /// A procedure.
    pub procedure: bool,
    /// Its arguments; columns of `returns table` included, last.
    pub arguments: Vec<FunctionArgument>,
    /// `returns`; `None` when out arguments say it, or a procedure.
    pub returns: Option<TypeName>,
    /// `returns table`
    pub returns_table: bool,
    /// The language; `sql` for a standard body.
    pub language: String,
    /// The body: the string after `as`, or a standard body as written.
    pub body: String,
    /// Where the body's text stands.
    pub body_span: Span,
    /// Volatility.
    pub volatility: Volatility,
    /// `strict`
    pub strict: bool,
    /// `security definer`
    pub security_definer: bool,
    /// `set name = value`
    pub settings: Vec<(String, String)>,
    /// `rows`
    pub rows: Option<u64>,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerTiming {
    /// `before`
    Before,
    /// `after`
    After,
    /// `instead of`
    InsteadOf,
}

/// What a trigger fires for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    /// `insert`
    Insert,
    /// `update [of columns]`
    Update(Vec<String>),
    /// `delete`
    Delete,
    /// `truncate`
    Truncate,
}

/// `create rule`: of a statement nothing is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRule {
    /// Its name.
    pub name: String,
    /// `or replace`
    pub or_replace: bool,
    /// For what.
    pub event: RuleEvent,
    /// Its table.
    pub table: ObjectName,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEvent {
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// Which conditions the rows written to a view must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOption {
    /// The view's own, and those of views underneath that say so themselves.
    Local,
    /// The view's own and those of all views underneath.
    Cascaded,
}

/// When a trigger fires, by `session_replication_role` (PostgreSQL, `ALTER TABLE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerMode {
    /// Unless that is `replica`.
    Enabled,
    /// Never.
    Disabled,
    /// Only if that is `replica`.
    Replica,
    /// Always.
    Always,
}

impl TriggerMode {
    /// All of them, each with its words and its letter in `pg_trigger`.
    pub const ALL: [(TriggerMode, &str, &str); 4] = [
        (TriggerMode::Enabled, "enable", "O"),
        (TriggerMode::Disabled, "disable", "D"),
        (TriggerMode::Replica, "enable replica", "R"),
        (TriggerMode::Always, "enable always", "A"),
    ];
}

/// `create trigger`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigger {
    /// Its name.
    pub name: String,
    /// `or replace`
    pub or_replace: bool,
    /// `constraint`
    pub constraint: bool,
    /// Its table.
    pub table: ObjectName,
    /// When.
    pub timing: TriggerTiming,
    /// For what.
    pub events: Vec<TriggerEvent>,
    /// `for each row`
    pub for_each_row: bool,
    /// `when (…)`
    pub when: Option<Expr>,
    /// `referencing old | new table as name`: (is new, name).
    pub referencing: Vec<(bool, String)>,
    /// `deferrable`
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
    /// The function.
    pub function: ObjectName,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// `grant`, `revoke`
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// `grant` instead of `revoke`.
    pub grant: bool,
    /// The privileges, lower case, with columns; empty is `all`.
    pub privileges: Vec<(String, Vec<String>)>,
    /// Columns of `all (columns)`.
    pub all_columns: Vec<String>,
    /// On what.
    pub target: GrantTarget,
    /// To or from whom; `public` is everybody.
    pub roles: Vec<String>,
    /// `grant option for`: only the option is revoked.
    pub option_only: bool,
    /// `cascade`
    pub cascade: bool,
}

/// What a grant is about.
#[derive(Clone, Debug, PartialEq)]
pub enum GrantTarget {
    /// Tables and views.
    Tables(Vec<ObjectName>),
    /// Sequences.
    Sequences(Vec<ObjectName>),
    /// Functions with argument types, if said.
    Functions(Vec<(ObjectName, Option<Vec<TypeName>>)>),
    /// `all tables in schema` (and of default privileges: no schemas)
    AllTables(Vec<String>),
    /// `all sequences in schema`
    AllSequences(Vec<String>),
    /// `all functions | routines in schema`
    AllFunctions(Vec<String>),
    /// Schemas.
    Schemas(Vec<String>),
    /// Types and domains.
    Types(Vec<ObjectName>),
    /// Anything else, by its words.
    Other(String),
}

/// `drop …`
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// The kind of object, lower case: `table`, `view`, `materialized view`, `function`, `policy`, …
    pub object: String,
    /// `if exists`
    pub if_exists: bool,
    /// The names; argument types of functions beside them.
    pub names: Vec<(ObjectName, Option<Vec<TypeName>>)>,
    /// The table of a policy or trigger.
    pub on: Option<ObjectName>,
    /// `cascade`
    pub cascade: bool,
}

/// What is changed of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterObjectAction {
    /// `rename to`
    RenameTo(String),
    /// `set schema`
    SetSchema(String),
    /// `owner to`
    OwnerTo(String),
    /// Function options: volatility, `security …`, `set …`, `strict`, as written, lower case.
    Options(Vec<String>),
    /// Anything else, by its leading words.
    Other(String),
}

/// What is done to a publication.
#[derive(Clone, Debug, PartialEq)]
pub enum PublicationAction {
    /// `create publication … for table …` (`None` is `for all tables`)
    Create(Option<Vec<ObjectName>>),
    /// `add table`
    Add(Vec<ObjectName>),
    /// `drop table`
    Drop(Vec<ObjectName>),
    /// `set table`
    Set(Vec<ObjectName>),
    /// Anything else, by its leading words.
    Other(String),
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind: Box::new(kind), span }
    }
}
