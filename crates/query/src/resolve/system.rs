//! PostgreSQL's system relations and the functions over them: rows of the catalog at hand, as constants of the statement.
//!
//! A relation of the information schema shows a row to those who may use what it is about. A function is a template in SQL, in
//! which arguments stand in a subquery of their own, so that no name of theirs is taken for a column of the template. `regclass`
//! and its like are ids: a cast from text finds the object, a cast to text is its name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use catalog::build::{TEMPORARY, TEMPORARY_OF_SESSION};
use catalog::system::{self, INTERNAL, SystemRelation};
use catalog::{Acl, Catalog, Column, ColumnId, Table, TableKind};
use sql::ast::{self, Call, ExprKind, FromItem, Literal, ObjectName, QueryBody, Target, TypeName};
use types::{Code, Error, Name, Result, Span, Type, Value};

use super::Resolver;
use super::scope::Relation;
use crate::functions::settings::REPLICATION;
use crate::ir::{CallerField, Compare, Expr, Form, Output, Read, Source};

/// A function over the system relations: name, number of arguments, what it says. Arguments are `g$.a1$`, …; those that name
/// a relation, function, type or schema by text or id are cast first.
const FUNCTIONS: &[(&str, &[&str], &str)] = &[
    ("pg_get_constraintdef", &[""], r#"(select w$.words from @constraint_words w$ where w$.oid = g$.a1$)"#),
    (
        "pg_get_constraintdef",
        &["", ""],
        r#"(select w$.words from @constraint_words w$ where w$.oid = g$.a1$)"#,
    ),
    ("pg_get_indexdef", &["regclass"], r#"(select w$.words from @index_words w$ where w$.oid = g$.a1$)"#),
    ("pg_get_viewdef", &["regclass"], r#"(select w$.words from @view_words w$ where w$.oid = g$.a1$)"#),
    ("pg_get_viewdef", &["regclass", ""], r#"(select w$.words from @view_words w$ where w$.oid = g$.a1$)"#),
    (
        "pg_get_functiondef",
        &["regproc"],
        r#"(select w$.words from @function_words w$ where w$.oid = g$.a1$)"#,
    ),
    ("pg_get_triggerdef", &[""], r#"(select w$.words from @trigger_words w$ where w$.oid = g$.a1$)"#),
    (
        "pg_get_function_arguments",
        &["regproc"],
        r#"(select w$.words from @arguments_words w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "pg_get_function_identity_arguments",
        &["regproc"],
        r#"(select w$.words from @identity_words w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "pg_get_function_result",
        &["regproc"],
        r#"(select w$.words from @result_words w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "pg_get_serial_sequence",
        &["regclass", ""],
        r#"(select quote_ident(n$.nspname) || '.' || quote_ident(s$.relname)
        from pg_catalog.pg_depend d$, pg_catalog.pg_attribute a$, pg_catalog.pg_class s$, pg_catalog.pg_namespace n$
        where d$.refobjid = g$.a1$ and d$.deptype in ('a', 'i') and a$.attrelid = d$.refobjid and a$.attnum = d$.refobjsubid
        and a$.attname = g$.a2$ and s$.oid = d$.objid and s$.relkind = 'S' and n$.oid = s$.relnamespace)"#,
    ),
    ("pg_get_userbyid", &[""], r#"(select w$.words from @role_words w$ where w$.oid = g$.a1$)"#),
    (
        "pg_get_partkeydef",
        &["regclass"],
        r#"(select w$.words from @partition_key_words w$ where w$.oid = g$.a1$)"#,
    ),
    ("pg_get_expr", &["", ""], "g$.a1$"),
    ("pg_get_expr", &["", "", ""], "g$.a1$"),
    (
        "format_type",
        &["regtype", ""],
        r#"(select w$.words || case
        when g$.a2$ is null or g$.a2$ < 4 then ''
        when g$.a1$ in (1042, 1043) then '(' || (g$.a2$ - 4)::text || ')'
        when g$.a1$ = 1700 then '(' || ((g$.a2$ - 4) / 65536)::text || ',' || ((g$.a2$ - 4) % 65536)::text || ')'
        else '' end from @type_words w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "obj_description",
        &["", ""],
        r#"(select w$.description from pg_catalog.pg_description w$ where w$.objoid = g$.a1$ and w$.objsubid = 0
        and w$.classoid = case g$.a2$ when 'pg_class' then 1259 when 'pg_proc' then 1255 when 'pg_namespace' then 2615 when 'pg_type' then 1247 end)"#,
    ),
    (
        "obj_description",
        &[""],
        r#"(select w$.description from pg_catalog.pg_description w$ where w$.objoid = g$.a1$ and w$.objsubid = 0)"#,
    ),
    (
        "col_description",
        &["regclass", ""],
        r#"(select w$.description from pg_catalog.pg_description w$ where w$.objoid = g$.a1$ and w$.objsubid = g$.a2$ and w$.classoid = 1259)"#,
    ),
    (
        "pg_table_is_visible",
        &["regclass"],
        r#"(select w$.schema in ('public', 'extensions', 'pg_catalog') from @class_names w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "pg_function_is_visible",
        &["regproc"],
        r#"(select w$.schema in ('public', 'extensions', 'pg_catalog') from @proc_names w$ where w$.oid = g$.a1$)"#,
    ),
    (
        "pg_type_is_visible",
        &["regtype"],
        r#"(select bool_or(w$.schema in ('public', 'extensions', 'pg_catalog')) from @type_names w$ where w$.oid = g$.a1$)"#,
    ),
    ("has_table_privilege", &["name", "regclass", "privilege"], HAS_PRIVILEGE),
    ("has_sequence_privilege", &["name", "regclass", "privilege"], HAS_PRIVILEGE),
    ("has_function_privilege", &["name", "regprocedure", "privilege"], HAS_PRIVILEGE),
    ("has_schema_privilege", &["name", "regnamespace", "privilege"], HAS_PRIVILEGE),
    (
        "has_column_privilege",
        &["name", "regclass", "", "privilege"],
        r#"(select g$.a1$ = any (w$.roles) from @column_privileges w$
        where w$.oid = g$.a2$ and w$.attname = g$.a3$ and w$.privilege = lower(g$.a4$))"#,
    ),
    ("overlaps", &["", "", "", ""], OVERLAPS),
    ("sign", &["text", "text"], SIGNED),
    ("pg_has_role", &["name", "name", "privilege"], HAS_ROLE),
];

/// Whether a role may become another (`member`), or has its rights (`usage`); of several words one is enough.
const HAS_ROLE: &str = "(select case
    when g$.a1$ is null or g$.a2$ is null or g$.a3$ is null then null
    when not exists (select from @memberships w$ where w$.member = g$.a1$) then system_object_missing('role', g$.a1$) = 0
    when not exists (select from @memberships w$ where w$.member = g$.a2$) then system_object_missing('role', g$.a2$) = 0
    else (select bool_or(case btrim(p$)
            when 'member' then g$.a2$ = any (w$.roles)
            when 'usage' then g$.a2$ = any (w$.inherited)
            else system_object_missing('privilege', btrim(p$)) = 0 end)
        from @memberships w$, regexp_split_to_table(lower(g$.a3$), ',') p$ where w$.member = g$.a1$)
    end)";

const HAS_PRIVILEGE: &str = r#"(select g$.a1$ = any (w$.roles) from @privileges w$ where w$.oid = g$.a2$ and w$.privilege = lower(g$.a3$))"#;

/// `set_config` of what superusers alone may set.
const REPLICATES: &str =
    "case when exists (select from pg_catalog.pg_roles r$ where r$.rolname = current_user and r$.rolsuper)
    then set_config(g$.a1$, g$.a2$, g$.a3$) else system_object_missing('setting', g$.a1$)::text end";

/// `(start, end) overlaps (start, end)`: either end may come first, or be missing.
const OVERLAPS: &str = "(select case
    when s.s1 is null or s.s2 is null then null
    when s.s1 > s.s2 then case when s.e2 is null then null when s.s1 < s.e2 then true when s.e1 is null then null else false end
    when s.s1 < s.s2 then case when s.e1 is null then null when s.s2 < s.e1 then true when s.e2 is null then null else false end
    when s.e1 is null or s.e2 is null then null
    else true end
    from (select least(g$.a1$, g$.a2$) as s1, case when g$.a1$ is null or g$.a2$ is null then null else greatest(g$.a1$, g$.a2$) end as e1,
        least(g$.a3$, g$.a4$) as s2, case when g$.a3$ is null or g$.a4$ is null then null else greatest(g$.a3$, g$.a4$) end as e2) s)";

/// pgjwt's `sign` with its default algorithm.
const SIGNED: &str = "(select s.t || '.' || translate(encode(hmac(s.t, g$.a2$, 'sha256'), 'base64'), '+/=' || chr(10), '-_')
    from (select translate(encode(convert_to('{\"alg\":\"HS256\",\"typ\":\"JWT\"}', 'utf8'), 'base64'), '+/=' || chr(10), '-_') || '.'
        || translate(encode(convert_to(g$.a1$, 'utf8'), 'base64'), '+/=' || chr(10), '-_') as t) s)";

/// `regclass` and its like: the kind of object, the word of PostgreSQL's error.
const KINDS: &[(&str, &str, &str)] = &[
    ("regclass", "class", "relation"),
    ("regtype", "type", "type"),
    ("regproc", "proc", "function"),
    ("regprocedure", "procedure", "function"),
    ("regnamespace", "namespace", "schema"),
    ("regrole", "role", "role"),
];

/// Whether a text is the name of the setting that has triggers and foreign keys do nothing.
fn names_replication(expr: &ast::Expr) -> bool {
    matches!(&*expr.kind, ExprKind::Literal(Literal::String(name)) if name.eq_ignore_ascii_case(REPLICATION))
}

/// The kind that a type is of.
fn kind_of(ty: &TypeName) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let is_own = matches!(ty.name.schema.as_deref(), None | Some("pg_catalog")) && ty.array_dims == 0;
    KINDS.iter().find(|(name, ..)| is_own && *name == ty.name.name)
}

/// Whether an expression is a cast to `regclass` or one of its like.
pub(super) fn says_object(expr: &ast::Expr) -> bool {
    matches!(&*expr.kind, ExprKind::Cast { ty, .. } if kind_of(ty).is_some())
}

/// The kind of object that an expression says: a cast to `regclass` or one of its like, or a call of `to_regclass` or one of its like.
fn kind_said(expr: &ast::Expr) -> Option<&'static str> {
    let found = match &*expr.kind {
        ExprKind::Cast { ty, .. } => kind_of(ty),
        ExprKind::Call(call) if matches!(call.name.schema.as_deref(), None | Some("pg_catalog")) => {
            let wanted = call.name.name.strip_prefix("to_");
            KINDS.iter().find(|(name, ..)| Some(*name) == wanted)
        }
        _ => None,
    };
    found.map(|(_, kind, _)| *kind)
}

/// The type that stands for one of PostgreSQL's for names and ids.
fn stands_for(ty: &TypeName) -> Option<TypeName> {
    let is_own = matches!(ty.name.schema.as_deref(), None | Some("pg_catalog"));
    let name = match ty.name.name.as_str() {
        "name" | "regconfig" | "regdictionary" => "text",
        "oid" => "int8",
        _ => return None,
    };
    let name = ObjectName { schema: None, name: name.to_owned(), span: ty.name.span };
    is_own.then(|| TypeName { name, ..ty.clone() })
}

impl Resolver<'_> {
    /// A system relation under a name; `None` for other names.
    pub(super) fn system_source(
        &mut self,
        name: &ObjectName,
        alias: Option<&str>,
    ) -> Option<(Source, Relation)> {
        let relation = system::relation(name.schema.as_deref(), &name.name)?;
        if relation.schema == INTERNAL && !self.is_template {
            return None;
        }
        let id = self.ids.fresh();
        let read = self.system_read(relation);
        let named = Relation::of_outputs(alias.unwrap_or(&name.name), &read.outputs, id);
        Some((Source::Read { id, read: Box::new(read), view: None }, named))
    }

    fn system_read(&mut self, relation: &'static SystemRelation) -> Read {
        let types: Vec<Type> = relation.columns.iter().map(|(_, ty)| ty.of()).collect();
        let shown = relation.columns.len() - usize::from(relation.is_guarded);
        let rows = relation.rows(&self.with_temporaries());
        let id = self.ids.fresh();
        let column = |at: usize| Expr::Column {
            source: id,
            column: ColumnId(u16::try_from(at).unwrap_or(u16::MAX)),
            ty: types[at].clone(),
        };
        let outputs = relation.columns[..shown].iter().enumerate();
        let outputs =
            outputs.map(|(at, (name, _))| Output { name: (*name).into(), expr: column(at) }).collect();
        if rows.all().is_empty() {
            let nulls = types.iter().map(|ty| Expr::null(ty.clone())).collect();
            let filter = Some(Expr::bool(false));
            return Read { outputs, filter, ..Read::from(Source::Values { id, rows: vec![nulls] }) };
        }
        let filter = relation.is_guarded.then(|| {
            let args = vec![Expr::Caller(CallerField::Role), column(shown)];
            Expr::test(Form::AnyOf(Compare::Eq), args)
        });
        Read { outputs, filter, ..Read::from(Source::System { id, relation, rows }) }
    }

    /// What is declared, with the temporary tables that there are now.
    fn with_temporaries(&self) -> Cow<'_, Catalog> {
        let made = self.variables.map(|variables| variables.temporaries()).unwrap_or_default();
        if made.is_empty() {
            return Cow::Borrowed(self.catalog);
        }
        let mut catalog = self.catalog.clone();
        catalog.schemas.push((TEMPORARY_OF_SESSION.into(), Acl::default()));
        for made in made {
            let name = Name::new(TEMPORARY_OF_SESSION, made.name);
            let columns = made.rows.columns.iter().map(|(name, ty)| Column::of(name.clone(), ty.clone()));
            let table =
                Table { columns: columns.collect(), ..Table::new(name, TableKind::Table, made.owner) };
            catalog.tables.push(table);
        }
        Cow::Owned(catalog)
    }

    /// A call of a function over the system relations; `None` for other calls.
    pub(super) fn system_call(&mut self, call: &Call) -> Result<Option<Expr>> {
        let is_own = match call.name.schema.as_deref() {
            None | Some("pg_catalog") => true,
            Some("extensions") => call.name.name == "sign",
            Some(_) => false,
        };
        if !is_own || !is_plain(call) {
            return Ok(None);
        }
        let args: Vec<&ast::Expr> = call.args.iter().map(|argument| &argument.value).collect();
        let name = call.name.name.as_str();
        if let Some(value) = self.fact_of_session(name, args.len()) {
            return Ok(Some(value));
        }
        if let Some((_, kind, _)) = KINDS.iter().find(|(known, ..)| name.strip_prefix("to_") == Some(known))
            && let [arg] = &args[..]
        {
            return self.id_of(kind, arg, None).map(Some);
        }
        if !self.is_template && name == "set_config" && args.len() == 3 && names_replication(args[0]) {
            let args: Vec<ast::Expr> = args.into_iter().cloned().collect();
            return self.templated(REPLICATES, args).map(Some);
        }
        // Without a role it is the one in force.
        let role = call_of("current_user");
        let mut with_role = vec![&role];
        with_role.extend(&args);
        for (says_all, args) in [(true, args), (false, with_role)] {
            let found = FUNCTIONS.iter().find(|(known, parameters, _)| {
                *known == name
                    && parameters.len() == args.len()
                    && (says_all || parameters.first() == Some(&"name"))
            });
            if let Some((_, parameters, template)) = found {
                if name == "overlaps" {
                    let ends = self.ends(&args)?;
                    return self.filled(template, parameters, &ends.iter().collect::<Vec<_>>()).map(Some);
                }
                return self.filled(template, parameters, &args).map(Some);
            }
        }
        Ok(None)
    }

    /// The operands of `overlaps`, where a length stands for an end.
    fn ends(&mut self, args: &[&ast::Expr]) -> Result<Vec<ast::Expr>> {
        let mut ends = Vec::with_capacity(args.len());
        for pair in args.chunks(2) {
            let [start, end] = pair else { continue };
            let is_length = self.expr(end)?.ty() == Type::Interval;
            let sum =
                || ExprKind::Binary { left: (*start).clone(), op: "+".to_owned(), right: (*end).clone() };
            ends.push((*start).clone());
            ends.push(if is_length { ast::Expr::new(sum(), end.span) } else { (*end).clone() });
        }
        Ok(ends)
    }

    /// What is known of the session.
    fn fact_of_session(&self, name: &str, args: usize) -> Option<Expr> {
        let text = |text: &str| Some(Expr::Const { value: Value::text(text), ty: Type::Text });
        match (name, args) {
            ("current_database" | "current_catalog", 0) => text("postgres"),
            // As of a connection that goes through no network.
            ("inet_server_addr" | "inet_client_addr", 0) => Some(Expr::null(Type::Inet)),
            ("inet_server_port" | "inet_client_port", 0) => Some(Expr::null(Type::Int4)),
            ("current_schema", 0) => {
                let is_there =
                    |schema: &&Arc<str>| self.catalog.schemas.iter().any(|(known, _)| known == *schema);
                match self.path.iter().find(is_there) {
                    Some(schema) => text(schema),
                    None => Some(Expr::null(Type::Text)),
                }
            }
            _ => None,
        }
    }

    /// A template whose arguments are cast to what its parameters are.
    pub(super) fn filled(
        &mut self,
        template: &str,
        parameters: &[&str],
        args: &[&ast::Expr],
    ) -> Result<Expr> {
        let mut given = Vec::with_capacity(args.len());
        for (parameter, arg) in parameters.iter().zip(args) {
            given.push(match *parameter {
                "" | "privilege" => (*arg).clone(),
                "name" | "text" => cast_to(arg, "text"),
                kind => cast_to(arg, kind),
            });
        }
        self.templated(template, given)
    }

    /// A template with its arguments.
    fn templated(&mut self, template: &str, args: Vec<ast::Expr>) -> Result<Expr> {
        let mut query = parsed(template, args.len())?;
        if let QueryBody::Select(select) = &mut query.body
            && let Some(FromItem::Subquery { query: given, .. }) = select.from.first_mut()
            && let QueryBody::Select(given) = &mut given.body
        {
            // An id stays one here, where it would be shown as a name.
            let number = |expr: ast::Expr| match &*expr.kind {
                ExprKind::Cast { ty, .. } if kind_of(ty).is_some() => cast_to(&expr, "int8"),
                _ => expr,
            };
            let target = |(expr, at): (ast::Expr, usize)| Target {
                expr: number(expr),
                alias: Some(format!("a{at}$")),
            };
            given.targets = args.into_iter().zip(1..).map(target).collect();
        }
        let expr = ast::Expr { kind: Box::new(ExprKind::Subquery(Box::new(query))), span: Span::default() };
        let around = std::mem::replace(&mut self.is_template, true);
        let outcome = self.expr(&expr);
        self.is_template = around;
        outcome
    }

    /// A cast to `regclass` or one of its like, from it to text, or to a type of names and ids; `None` for other casts.
    pub(super) fn system_cast(&mut self, expr: &ast::Expr, ty: &TypeName) -> Result<Option<Expr>> {
        if let Some((_, kind, word)) = kind_of(ty) {
            return self.id_of(kind, expr, Some(word)).map(Some);
        }
        if let Some(plain) = stands_for(ty) {
            let ExprKind::Literal(Literal::String(text)) = &*expr.kind else {
                return self.expr(&cast_as(expr, plain)).map(Some);
            };
            // A configuration or a dictionary is written as a name is: in quotes, with its schema.
            return match name_parts(text).pop().filter(|_| ty.name.name.starts_with("reg")) {
                Some(name) => Ok(Some(Expr::Const { value: Value::text(name), ty: Type::Text })),
                None => self.expr(&cast_as(expr, plain)).map(Some),
            };
        }
        let is_text = matches!(ty.name.name.as_str(), "text" | "varchar") && ty.array_dims == 0;
        let kind = kind_said(expr).filter(|_| is_text);
        kind.map(|kind| self.name_of(kind, expr)).transpose()
    }

    /// An id as its object's name, where an expression is a cast to `regclass` or one of its like; a list of them likewise.
    pub(super) fn as_name(&mut self, expr: &ast::Expr) -> Result<Option<Expr>> {
        if let ExprKind::Array(items) = &*expr.kind
            && !items.is_empty()
            && items.iter().all(says_object)
        {
            let names = items.iter().map(|item| cast_to(item, "text")).collect();
            let names = ast::Expr { kind: Box::new(ExprKind::Array(names)), span: expr.span };
            return self.expr(&names).map(Some);
        }
        kind_said(expr).map(|kind| self.name_of(kind, expr)).transpose()
    }

    fn name_of(&mut self, kind: &str, expr: &ast::Expr) -> Result<Expr> {
        // What stands in schema `public` is printed with it where nobody looks there.
        let words = match self.path.iter().any(|schema| **schema == *"public") {
            true => "w$.words".to_owned(),
            false => format!(
                "case when exists (select from @{kind}_names n$ where n$.oid = w$.oid and n$.schema = 'public')
                    then 'public.' || w$.words else w$.words end"
            ),
        };
        let template =
            format!("coalesce((select {words} from @{kind}_words w$ where w$.oid = g$.a1$), g$.a1$::text)");
        self.templated(&template, vec![expr.clone()])
    }

    /// The id of an object that is named or numbered; with a word of the error for one that there is not, or null.
    fn id_of(&mut self, kind: &str, expr: &ast::Expr, word: Option<&str>) -> Result<Expr> {
        if let ExprKind::Literal(Literal::String(text)) = &*expr.kind {
            if let [schema, _] = &name_parts(text)[..] {
                self.require_schema(schema)?;
            }
            let found = self.named_object(kind, text);
            return match (found, word) {
                (Some(id), _) => Ok(Expr::Const { value: Value::Int(id), ty: Type::Int8 }),
                (None, None) => Ok(Expr::null(Type::Int8)),
                (None, Some(word)) => Err(unknown(word, text)),
            };
        }
        let resolved = self.expr(expr)?;
        if resolved.ty().is_number() {
            return self.cast(resolved, &Type::Int8, None);
        }
        let path: Vec<String> = self.path.iter().map(|schema| sql::print::quote_literal(schema)).collect();
        let path = [path, vec![format!("'{TEMPORARY_OF_SESSION}'"), "'pg_catalog'".into(), "''".into()]]
            .concat()
            .join(", ");
        // Of all schemas of temporary tables a session means its own.
        let given = format!(
            "case split_part(g$.a1$, '.', 1) when '{TEMPORARY}' then '{TEMPORARY_OF_SESSION}' || substr(g$.a1$, {}) else g$.a1$ end",
            TEMPORARY.len() + 1
        );
        let found = format!(
            "(select min(w$.oid) from (select replace({given}, ' ', '') as q$, replace(g$.a1$, ' ', '') as r$, lower(g$.a1$) as l$) k$, @{kind}_names w$
                where (w$.plain = k$.q$ or w$.written = k$.q$ or w$.quoted = k$.r$ or w$.name = k$.l$)
                and case when position('.' in g$.a1$) > 0 then k$.q$ in (w$.plain, w$.written)
                    else w$.schema in ({path}) and (k$.r$ = w$.quoted or k$.l$ = w$.name) end)"
        );
        let denied = self.catalog.schemas.iter().filter(|(schema, _)| !self.may_use(schema));
        let denied: Vec<String> = denied.map(|(schema, _)| sql::print::quote_literal(schema)).collect();
        let found = match denied.is_empty() {
            true => found,
            false => format!(
                "case when position('.' in g$.a1$) > 0 and split_part(g$.a1$, '.', 1) in ({})
                    then system_object_missing('denied', split_part(g$.a1$, '.', 1)) else {found} end",
                denied.join(", ")
            ),
        };
        let template = match word {
            None => found,
            Some(word) => format!(
                "case when g$.a1$ is null then null
                    when split_part(g$.a1$, '.', 1) <> '{TEMPORARY}' and position('.' in g$.a1$) > 0 and not exists (select from @namespace_names n$
                        where split_part(g$.a1$, '.', 1) in (n$.name, quote_ident(n$.name)))
                        then system_object_missing('schema', split_part(g$.a1$, '.', 1))
                    else coalesce({found}, system_object_missing('{word}', g$.a1$)) end"
            ),
        };
        self.templated(&template, vec![cast_to(expr, "text")])
    }

    /// The id of an object that a text names.
    fn named_object(&self, kind: &str, text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(id) = text.parse::<i64>() {
            return Some(id);
        }
        let (text, arguments) = match text.split_once('(') {
            Some((name, rest)) if kind == "procedure" => {
                (name.trim(), Some(rest.trim_end().trim_end_matches(')')))
            }
            _ => (text, None),
        };
        let parts = name_parts(text);
        let (schema, name) = match &parts[..] {
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            _ => return None,
        };
        let name = match arguments {
            Some(arguments) => format!("{name}({})", self.printed_types(arguments)?),
            None => name,
        };
        let catalog = self.with_temporaries();
        let names = system::relation(Some(INTERNAL), &format!("{kind}_names"))?.rows(&catalog);
        let wanted = Value::text(name.as_str());
        let is = |value: &Value, wanted: &str| matches!(value, Value::Text(text) if **text == *wanted);
        let find = |schema: &str| {
            names.at(names.with(2, &wanted)?).find_map(|row| match &row[..] {
                [Value::Int(id), at, ..] if is(at, schema) => Some(*id),
                _ => None,
            })
        };
        match schema {
            Some(schema) if schema == TEMPORARY => find(TEMPORARY_OF_SESSION).or_else(|| find(TEMPORARY)),
            Some(schema) => find(&schema),
            None if matches!(kind, "namespace" | "role") => find(""),
            None => [TEMPORARY_OF_SESSION, "pg_catalog"]
                .into_iter()
                .chain(self.path.iter().map(|schema| &**schema))
                .find_map(find),
        }
    }

    /// Types of arguments as they print, with commas alone between them.
    fn printed_types(&self, words: &str) -> Option<String> {
        if words.trim().is_empty() {
            return Some(String::new());
        }
        let mut printed = Vec::new();
        for word in words.split(',') {
            let (statements, _) = sql::parse(&format!("select null::{word}"));
            let ty = statements.first().and_then(|statement| match &statement.kind {
                ast::StatementKind::Query(query) => match &query.body {
                    QueryBody::Select(select) => match &*select.targets.first()?.expr.kind {
                        ExprKind::Cast { ty, .. } => Some(ty.clone()),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            })?;
            let (ty, ..) = self.find_type(&ty).ok()?;
            printed.push(types::ty::format_type(&ty, None));
        }
        Some(printed.join(","))
    }
}

pub(super) fn is_plain(call: &Call) -> bool {
    !call.star
        && !call.distinct
        && call.filter.is_none()
        && call.order_by.is_empty()
        && call.args.iter().all(|argument| argument.name.is_none() && !argument.variadic)
}

/// PostgreSQL's error for an object that there is not.
pub(crate) fn unknown(word: &str, text: &str) -> Error {
    let code = match word {
        "relation" => Code::UNDEFINED_TABLE,
        "function" => Code::UNDEFINED_FUNCTION,
        "schema" => Code::UNDEFINED_SCHEMA,
        _ => Code::UNDEFINED_OBJECT,
    };
    Error::new(code, format!("{word} \"{text}\" does not exist"))
}

/// The parts of a name: in quotes as they are, others in lower case.
pub(super) fn name_parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match (c, parts.last_mut()) {
            ('"', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) if quoted => part.push(c),
            (c, Some(part)) => part.extend(c.to_lowercase()),
            (_, None) => {}
        }
    }
    parts
}

fn cast_to(expr: &ast::Expr, name: &str) -> ast::Expr {
    let name = ObjectName { schema: Some("pg_catalog".into()), name: name.to_owned(), span: expr.span };
    let ty = TypeName { name, modifiers: Vec::new(), array_dims: 0, setof: false, of_column: None };
    cast_as(expr, ty)
}

fn cast_as(expr: &ast::Expr, ty: TypeName) -> ast::Expr {
    ast::Expr { kind: Box::new(ExprKind::Cast { expr: expr.clone(), ty }), span: expr.span }
}

fn call_of(name: &str) -> ast::Expr {
    let (statements, _) = sql::parse(&format!("select {name}"));
    let found = statements.into_iter().next().and_then(|statement| match statement.kind {
        ast::StatementKind::Query(query) => match query.body {
            QueryBody::Select(select) => select.targets.into_iter().next().map(|target| target.expr),
            _ => None,
        },
        _ => None,
    });
    found.unwrap_or_else(|| ast::Expr {
        kind: Box::new(ExprKind::Literal(Literal::Null)),
        span: Span::default(),
    })
}

/// A template as the query that it becomes: read once.
fn parsed(template: &str, args: usize) -> Result<ast::Query> {
    static KNOWN: OnceLock<std::sync::Mutex<HashMap<String, ast::Query>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Default::default);
    let mut known = known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(query) = known.get(template) {
        return Ok(query.clone());
    }
    let nulls = vec!["null"; args].join(", ");
    // Names with `$` in them, so that no variable of a function is meant.
    let text =
        format!("select {template} from (select {nulls}) g$").replace('@', &format!("\"{INTERNAL}\"."));
    let (statements, _) = sql::parse(&text);
    match statements.into_iter().next().map(|statement| statement.kind) {
        Some(ast::StatementKind::Query(query)) => {
            known.insert(template.to_owned(), query.clone());
            Ok(query)
        }
        _ => Err(Error::internal(format!("a template that cannot be read: {text}"))),
    }
}
