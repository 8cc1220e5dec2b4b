//! Assignments: to variables, fields and elements.

use std::sync::Arc;

use sql::ast::Expr;
use sql::body::{Part, Target};
use types::cast::{Context, context};
use types::value::Array;
use types::{Code, Error, Field, Result, Type, Value};

use super::Frame;
use crate::convert::{converted, fields, integer, printed, read_row};
use crate::environment::{Held, Kind, Shape, not_a_variable};
use crate::names::no_field;

/// Bytes up to which values are not counted one by one.
const LARGE: usize = 4 << 10;

/// What an assignment changes.
pub(super) struct Place {
    slot: usize,
    field: Option<usize>,
    /// Names of fields within.
    deeper: Vec<String>,
}

/// A part of a value.
enum Segment {
    Field(String),
    /// One subscript for each dimension.
    Element(Vec<i64>),
    Slice(i64, Option<i64>),
}

impl Frame<'_> {
    pub(super) async fn assignment(&mut self, target: &Target, value: &Expr) -> Result<()> {
        // An assignment of a whole row keeps the names of its fields.
        if target.parts.is_empty()
            && let Some(slot) = self.row_slot(target)?
            && let Some(shape) = self.shape_of_expr(value)?
        {
            let (found, _) = self.value(value).await?;
            return match found {
                Value::Null => self.assign_null_row(slot),
                found => {
                    let values = fields(&found, &shape, self.host.session())?;
                    self.assign_row(slot, &shape, values)
                }
            };
        }
        if let Some(slot) = self.row_slot(target)?
            && let Some(query::Expr::Const { value: Value::Text(written), ty: Type::Unknown }) =
                self.planned(value)?.value().cloned()
            && let Kind::Row { shape, .. } = self.environment.get(slot)?.kind.clone()
        {
            let values = read_row(&written, &shape, self.host.session())?;
            return self.assign_row(slot, &shape, Some(values));
        }
        if !self.takes_rows(target)? {
            let (found, ty) = self.value_without_rows(value).await?;
            let assigned = self.assign_to(target, found, &ty).await;
            let Err(error) = assigned else { return Ok(()) };
            return Err(self.converted_early(target, value, error).await?);
        }
        let (found, ty) = self.value(value).await?;
        if let (Value::Row(given), Some(shape)) = (&found, self.shape_of_expr(value)?) {
            let given = self.row_for(target, given, &shape)?;
            return self.assign_to(target, given, &ty).await;
        }
        let assigned = self.assign_to(target, found, &ty).await;
        let Err(error) = assigned else { return Ok(()) };
        Err(self.converted_early(target, value, error).await?)
    }

    /// An error of a conversion, which PostgreSQL makes of constants while it plans.
    async fn converted_early(&mut self, target: &Target, value: &Expr, error: Error) -> Result<Error> {
        let is_of_value = error.state().starts_with("22") && error.code() != Code::NULL_NOT_ALLOWED;
        if !is_of_value || !self.planned(value)?.value().is_some_and(is_constant) {
            return Ok(error);
        }
        // A subscript may have failed instead.
        let place = self.place(target)?;
        Ok(match self.segments(target, &place).await {
            Ok(_) => self.program.told.run(&self.asked(value), error),
            Err(_) => error,
        })
    }

    /// Whether a variable or field may hold a row, or rows.
    fn takes_rows(&self, target: &Target) -> Result<bool> {
        let ty = self.type_of(target)?;
        Ok(ty == Type::Unknown || super::is_of_rows(&ty))
    }

    /// The type of a variable or field; unknown of what is within.
    pub(super) fn type_of(&self, target: &Target) -> Result<Type> {
        let place = self.place(target)?;
        Ok(match place.deeper.is_empty() && target.parts.is_empty() {
            true => self.read_place(&place)?.1,
            false => Type::Unknown,
        })
    }

    /// A row whose fields are of the types of a row within a variable.
    fn row_for(&self, target: &Target, given: &[Value], shape: &Shape) -> Result<Value> {
        let place = self.place(target)?;
        let (_, mut ty) = self.read_place(&place)?;
        let fields = place.deeper.iter().map(Some);
        let parts = target.parts.iter().map(|part| match part {
            Part::Field(name) => Some(name),
            Part::Element(_) | Part::Slice(..) => None,
        });
        for part in fields.chain(parts) {
            ty = match (part, &ty) {
                (None, Type::Array(element)) => (**element).clone(),
                (None, ty) => ty.clone(),
                (Some(field), Type::Composite(name)) => {
                    let shape = crate::environment::shape_of(&self.host.model().catalog, name);
                    let fields = shape.unwrap_or_else(|| Vec::new().into());
                    let found = fields.iter().find(|known| *known.name == **field);
                    found.map_or(Type::Unknown, |found| found.ty.clone())
                }
                (Some(_), _) => Type::Unknown,
            };
        }
        let wanted = match &ty {
            Type::Composite(name) => crate::environment::shape_of(&self.host.model().catalog, name),
            _ => None,
        };
        let Some(wanted) = wanted else { return Ok(Value::Row(given.to_vec().into())) };
        let fields = given
            .iter()
            .zip(shape.iter())
            .zip(wanted.iter())
            .map(|((value, from), to)| self.as_field(value.clone(), &from.ty, to));
        Ok(Value::Row(fields.collect::<Result<Vec<_>>>()?.into()))
    }

    /// Assigns a value to a target.
    pub(super) async fn assign_to(&mut self, target: &Target, value: Value, ty: &Type) -> Result<()> {
        let place = self.place(target)?;
        if !target.parts.is_empty() && place.deeper.is_empty() && self.read_place(&place)?.1 == Type::Jsonb {
            return self.assign_json(&place, &target.parts, value, ty).await;
        }
        let segments = self.segments(target, &place).await?;
        if segments.is_empty() {
            return self.assign_place(&place, value, ty);
        }
        let (whole, whole_ty) = self.read_place(&place)?;
        let changed = self.changed((whole, &whole_ty), &segments, (value, ty))?;
        self.assign_place(&place, changed, &whole_ty)
    }

    /// Assigns a part of a `jsonb`.
    async fn assign_json(&mut self, place: &Place, parts: &[Part], value: Value, ty: &Type) -> Result<()> {
        let mut path = Vec::with_capacity(parts.len());
        let mut is_array = false;
        for (at, part) in parts.iter().enumerate() {
            let Part::Element(key) = part else {
                return Err(Error::new(Code::DATATYPE_MISMATCH, "jsonb subscript does not support slices"));
            };
            let (key, ty) = self.value(key).await?;
            is_array |= at == 0 && matches!(ty, Type::Int2 | Type::Int4);
            path.push(self.json_key(&key, &ty)?);
        }
        let session = self.host.session();
        let part = converted(value, ty, (&Type::Jsonb, None), session)?;
        let (whole, _) = self.read_place(place)?;
        let changed = query::functions::json_part::with_part(&whole, &path, is_array, &part)?;
        self.assign_place(place, changed, &Type::Jsonb)
    }

    fn json_key(&self, key: &Value, ty: &Type) -> Result<Option<String>> {
        let is_text = *ty == Type::Unknown || context(ty, &Type::Text) == Some(Context::Implicit);
        if !is_text && !matches!(ty, Type::Int2 | Type::Int4 | Type::Text) {
            let message = format!("subscript type {} is not supported", types::ty::format_type(ty, None));
            return Err(Error::new(Code::DATATYPE_MISMATCH, message)
                .with_hint("jsonb subscript must be coercible to either integer or text."));
        }
        Ok(printed(key, ty, self.host.session()))
    }

    /// What an assignment changes of its variable or field.
    async fn segments(&mut self, target: &Target, place: &Place) -> Result<Vec<Segment>> {
        let mut segments: Vec<Segment> = place.deeper.iter().cloned().map(Segment::Field).collect();
        for part in &target.parts {
            match part {
                Part::Field(name) => segments.push(Segment::Field(name.clone())),
                Part::Element(index) => {
                    let index = self.subscript(index).await?;
                    match segments.last_mut() {
                        Some(Segment::Element(indexes)) => indexes.push(index),
                        _ => segments.push(Segment::Element(vec![index])),
                    }
                }
                Part::Slice(low, high) => {
                    let low = match low {
                        Some(low) => self.subscript(low).await?,
                        None => 1,
                    };
                    let high = match high {
                        Some(high) => Some(self.subscript(high).await?),
                        None => None,
                    };
                    segments.push(Segment::Slice(low, high));
                }
            }
        }
        Ok(segments)
    }

    async fn subscript(&mut self, index: &Expr) -> Result<i64> {
        let (index, ty) = self.value(index).await?;
        integer(index, &ty, self.host.session())?.ok_or_else(|| {
            Error::new(Code::NULL_NOT_ALLOWED, "array subscript in assignment must not be null")
        })
    }

    /// A value with another part.
    fn changed(
        &self,
        (whole, ty): (Value, &Type),
        segments: &[Segment],
        (value, from): (Value, &Type),
    ) -> Result<Value> {
        let session = self.host.session();
        let most = self.host.limits().variable_bytes_max / size_of::<Value>();
        match (segments, ty) {
            ([], ty) => self.inner(converted(value, from, (ty, None), session)?, ty),
            ([Segment::Field(field), rest @ ..], Type::Composite(name)) => {
                let shape = crate::environment::shape_of(&self.host.model().catalog, name)
                    .ok_or_else(|| Error::missing(format!("assigning to a field of type {name}")))?;
                let at = shape.iter().position(|known| *known.name == **field);
                let at = at.ok_or_else(|| no_field(&name.name, field))?;
                let mut values =
                    fields(&whole, &shape, session)?.unwrap_or_else(|| vec![Value::Null; shape.len()]);
                let part = std::mem::replace(&mut values[at], Value::Null);
                let field = &shape[at];
                let changed = self.changed((part, &field.ty), rest, (value, from))?;
                values[at] = self.as_field(changed, &field.ty, field)?;
                crate::convert::kept(&values, &shape, session)
            }
            ([Segment::Element(indexes), rest @ ..], Type::Array(element)) => {
                let part = if rest.is_empty() { Value::Null } else { element_of(&whole, indexes) };
                let part = self.changed((part, element), rest, (value, from))?;
                match indexes[..] {
                    [index] => with_element(&whole, index, part, most),
                    _ => with_inner_element(&whole, indexes, part),
                }
            }
            ([Segment::Slice(low, high)], Type::Array(_)) => {
                match converted(value, from, (ty, None), session)? {
                    Value::Array(slice) => with_slice(&whole, *low, *high, &slice.elements, most),
                    // Nothing is assigned.
                    _ => Ok(whole),
                }
            }
            ([Segment::Element(_) | Segment::Slice(..), ..], ty) => {
                let shown = types::ty::format_type(ty, None);
                Err(Error::missing(format!("a subscript in an assignment to a variable of type {shown}")))
            }
            ([Segment::Field(field), ..], _) => Err(Error::new(
                Code::WRONG_OBJECT_TYPE,
                format!("cannot assign to field \"{field}\" of a value that is no row"),
            )),
        }
    }

    /// A value of some type as a row's field holds it.
    fn as_field(&self, value: Value, from: &Type, field: &Field) -> Result<Value> {
        let value = converted(value, from, (&field.ty, field.modifier), self.host.session())?;
        self.in_domain(self.inner(value, &field.ty)?, field.domain.as_ref())
    }

    /// A value that is part of another one: a row as the JSON object that it is kept as.
    fn inner(&self, value: Value, ty: &Type) -> Result<Value> {
        let (Value::Row(fields), Type::Composite(name)) = (&value, ty) else { return Ok(value) };
        let Some(shape) = crate::environment::shape_of(&self.host.model().catalog, name) else {
            return Ok(value);
        };
        let fields = fields.iter().zip(shape.iter()).map(|(field, of)| self.inner(field.clone(), &of.ty));
        crate::convert::kept(&fields.collect::<Result<Vec<_>>>()?, &shape, self.host.session())
    }

    /// The row variable that a target names as a whole.
    pub(super) fn row_slot(&self, target: &Target) -> Result<Option<usize>> {
        let place = self.place(target)?;
        let kind = &self.environment.get(place.slot)?.kind;
        Ok((place.field.is_none()
            && target.parts.is_empty()
            && matches!(kind, Kind::Record | Kind::Row { .. }))
        .then_some(place.slot))
    }

    /// The fields of an expression that says them: a row variable, a row constructor, a function of rows.
    pub(super) fn shape_of_expr(&self, value: &Expr) -> Result<Option<Shape>> {
        if let sql::ast::ExprKind::Column(parts) = &*value.kind
            && let Some(found) = self.environment.find(parts).filter(|found| found.parts == parts.len())
        {
            return Ok(self.row_of(found.slot)?.map(|(shape, _)| shape));
        }
        let planned = self.planned(value)?;
        Ok(match planned.value() {
            Some(query::Expr::Form { form: query::Form::Record(names), args, .. }) => {
                let field = |(name, arg): (&Arc<str>, &query::Expr)| Field::of(name.clone(), arg.ty());
                Some(names.iter().zip(args).map(field).collect())
            }
            Some(query::Expr::Form { form: query::Form::Row, args, ty }) => {
                let named = self.shape_of_value(args.len(), ty);
                let typed = |(field, arg): (&Field, &query::Expr)| Field { ty: arg.ty(), ..field.clone() };
                Some(named.iter().zip(args).map(typed).collect())
            }
            Some(query::Expr::Call(call)) => {
                let function = self.host.model().catalog.functions.get(call.function.0);
                function.and_then(|function| crate::call::result_shape(&*self.host, function))
            }
            _ => None,
        })
    }

    pub(super) fn place(&self, target: &Target) -> Result<Place> {
        if let Some(position) = target.parameter {
            return Ok(Place { slot: self.positional(position)?, field: None, deeper: Vec::new() });
        }
        let unknown = || not_a_variable(&target.name.join("."));
        let found = self.environment.find(&target.name).ok_or_else(unknown)?;
        let (field, deeper) = match &target.name[found.parts..] {
            [] => (None, Vec::new()),
            [field, deeper @ ..] => (Some(self.field(found.slot, field)?), deeper.to_vec()),
        };
        Ok(Place { slot: found.slot, field, deeper })
    }

    fn field(&self, slot: usize, field: &str) -> Result<usize> {
        let variable = self.environment.get(slot)?;
        let shape = variable.shape().ok_or_else(|| match variable.kind {
            Kind::Record => crate::names::unassigned(&variable.name),
            Kind::Scalar { .. } | Kind::Row { .. } | Kind::Cursor { .. } => {
                not_a_variable(&format!("{}.{field}", variable.name))
            }
        })?;
        let at = shape.iter().position(|known| *known.name == *field);
        at.ok_or_else(|| no_field(&variable.name, field))
    }

    fn read_place(&self, place: &Place) -> Result<(Value, Type)> {
        let variable = self.environment.get(place.slot)?;
        Ok(match place.field {
            None => (variable.value(), variable.ty()),
            Some(at) => {
                let ty = variable.shape().and_then(|shape| shape.get(at)).map(|field| field.ty.clone());
                (variable.field(at), ty.unwrap_or(Type::Unknown))
            }
        })
    }

    fn assign_place(&mut self, place: &Place, value: Value, ty: &Type) -> Result<()> {
        let Some(at) = place.field else { return self.assign(place.slot, value, ty) };
        let (name, shape) = {
            let variable = self.environment.get(place.slot)?;
            if variable.constant {
                return Err(constant(&variable.name));
            }
            (variable.name.clone(), variable.shape().cloned())
        };
        let shape = shape.ok_or_else(|| crate::names::unassigned(&name))?;
        let field = shape.get(at).ok_or_else(|| Error::internal("a field that there is not"))?;
        let value = self.as_field(value, ty, field)?;
        self.bounded((place.slot, Some(at)), &value)?;
        let variable = self.environment.get_mut(place.slot)?;
        let Held::Row(_, values) = &mut variable.held else { return Err(crate::names::unassigned(&name)) };
        let values = values.get_or_insert_with(|| vec![Value::Null; shape.len()]);
        if let Some(slot) = values.get_mut(at) {
            *slot = value;
        }
        Ok(())
    }

    /// Assigns to a whole variable.
    pub(super) fn assign(&mut self, slot: usize, value: Value, ty: &Type) -> Result<()> {
        let variable = self.environment.get(slot)?;
        if variable.constant {
            return Err(constant(&variable.name));
        }
        if variable.not_null && value.is_null() {
            let name = &variable.name;
            let message = format!("null value cannot be assigned to variable \"{name}\" declared NOT NULL");
            return Err(Error::new(Code::NULL_NOT_ALLOWED, message));
        }
        match variable.kind.clone() {
            Kind::Scalar { ty: to, modifier, domain } => {
                let value = converted(value, ty, (&to, modifier), self.host.session())?;
                self.bounded((slot, None), &value)?;
                let value = self.in_domain(value, domain.as_ref())?;
                self.environment.get_mut(slot)?.held = Held::Scalar(value);
                Ok(())
            }
            Kind::Cursor { .. } => {
                let value = converted(value, ty, (&Type::Text, None), self.host.session())?;
                self.environment.get_mut(slot)?.held = Held::Scalar(value);
                Ok(())
            }
            Kind::Record | Kind::Row { .. } => {
                if value.is_null() {
                    return self.assign_null_row(slot);
                }
                let width = match &value {
                    Value::Row(fields) => fields.len(),
                    Value::Text(_) if !matches!(ty, Type::Composite(_)) => {
                        let message = "cannot assign non-composite value to a record variable";
                        return Err(Error::new(Code::DATATYPE_MISMATCH, message));
                    }
                    _ => 0,
                };
                let shape = self.shape_of_value(width, ty);
                let values = fields(&value, &shape, self.host.session())?;
                self.assign_row(slot, &shape, values)
            }
        }
    }

    fn assign_null_row(&mut self, slot: usize) -> Result<()> {
        let variable = self.environment.get_mut(slot)?;
        variable.held = match (&variable.kind, &variable.held) {
            (Kind::Row { shape, .. }, _) => Held::Row(shape.clone(), None),
            (_, Held::Row(shape, _)) => Held::Row(shape.clone(), None),
            _ => Held::Unassigned,
        };
        Ok(())
    }

    /// The fields of a value of a type; those of a row without one are `f1`, `f2`, ….
    fn shape_of_value(&self, width: usize, ty: &Type) -> Shape {
        let known = match ty {
            Type::Composite(name) => crate::environment::shape_of(&self.host.model().catalog, name),
            _ => None,
        };
        known.unwrap_or_else(|| {
            let field = |at: usize| Field::of(format!("f{}", at + 1).into(), Type::Unknown);
            (0..width).map(field).collect()
        })
    }

    /// Assigns a row, field by field (by position).
    pub(super) fn assign_row(
        &mut self,
        slot: usize,
        shape: &Shape,
        values: Option<Vec<Value>>,
    ) -> Result<()> {
        let variable = self.environment.get(slot)?;
        if variable.constant {
            return Err(constant(&variable.name));
        }
        let held = match (&variable.kind, values) {
            (Kind::Row { shape: wanted, .. }, None) => Held::Row(wanted.clone(), None),
            (Kind::Row { shape: wanted, .. }, Some(values)) => {
                let wanted = wanted.clone();
                let mut given = values.into_iter().zip(shape.iter());
                let mut fields = Vec::with_capacity(wanted.len());
                for field in wanted.iter() {
                    fields.push(match given.next() {
                        Some((value, from)) => self.as_field(value, &from.ty, field)?,
                        None => Value::Null,
                    });
                }
                Held::Row(wanted, Some(fields))
            }
            (Kind::Record, values) => {
                // The same fields stay one shape, so that what was planned for it fits.
                let shape = match &variable.held {
                    Held::Row(known, _) if known == shape => known.clone(),
                    Held::Row(..) | Held::Scalar(_) | Held::Unassigned => shape.clone(),
                };
                Held::Row(shape, values)
            }
            (Kind::Scalar { .. } | Kind::Cursor { .. }, _) => {
                return Err(Error::internal("a row for a variable of one value"));
            }
        };
        self.bounded_row(slot, &held)?;
        self.environment.get_mut(slot)?.held = held;
        Ok(())
    }

    /// Assigns the columns of a row to targets: as a whole to a row, one by one otherwise.
    pub(super) async fn assign_columns(
        &mut self,
        targets: &[Target],
        outputs: &[(Arc<str>, Type)],
        row: Option<Vec<Value>>,
    ) -> Result<()> {
        if let [target] = targets
            && target.parts.is_empty()
            && let Some(slot) = self.row_slot(target)?
        {
            let field = |(name, ty): &(Arc<str>, Type)| Field::of(name.clone(), ty.clone());
            let shape: Shape = outputs.iter().map(field).collect();
            // Without a row all fields are null.
            let values = row.unwrap_or_else(|| vec![Value::Null; outputs.len()]);
            return self.assign_row(slot, &shape, Some(values));
        }
        let mut row = row.unwrap_or_default().into_iter();
        let mut types = outputs.iter().map(|(_, ty)| ty);
        for target in targets {
            let value = row.next().unwrap_or(Value::Null);
            let ty = types.next().unwrap_or(&Type::Unknown);
            self.assign_to(target, value, ty).await?;
        }
        Ok(())
    }

    /// Refuses a value that takes more memory than one may, or than all may together.
    fn bounded(&mut self, of: (usize, Option<usize>), value: &Value) -> Result<()> {
        let is_plain = !matches!(value, Value::Text(_) | Value::Bytes(_) | Value::Array(_) | Value::Row(_));
        if is_plain && self.large.is_empty() {
            return Ok(());
        }
        let most = self.host.limits().variable_bytes_max;
        let bytes = value.weight();
        if bytes > most + size_of::<Value>() {
            let message = format!("a value of more than {most} bytes in a variable");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        if bytes <= LARGE && self.large.is_empty() {
            return Ok(());
        }
        if of.1.is_none() {
            self.large.retain(|(slot, _), _| *slot != of.0);
        }
        self.large.entry(of).or_insert_with(|| self.host.account().hold()).value(value)
    }

    /// The same of all fields of a row.
    fn bounded_row(&mut self, slot: usize, held: &Held) -> Result<()> {
        match held {
            Held::Row(_, Some(fields)) if !self.large.is_empty() || fields.iter().any(is_large) => {
                let fields = Value::Row(fields.clone().into());
                self.bounded((slot, None), &fields)
            }
            Held::Row(..) | Held::Scalar(_) | Held::Unassigned => Ok(()),
        }
    }
}

fn is_constant(value: &query::Expr) -> bool {
    match value {
        query::Expr::Const { .. } => true,
        query::Expr::Cast { expr, .. } => is_constant(expr),
        _ => false,
    }
}

fn is_large(value: &Value) -> bool {
    value.weight() > LARGE
}

fn constant(name: &str) -> Error {
    Error::raised("22005", format!("variable \"{name}\" is declared CONSTANT"))
}

/// An array with another element; beyond its end, nulls are between.
fn with_element(array: &Value, index: i64, element: Value, most: usize) -> Result<Value> {
    let mut elements = match array {
        Value::Array(array) if array.dimensions.len() > 1 => {
            return Err(Error::new(Code::ARRAY_SUBSCRIPT, "wrong number of array subscripts"));
        }
        Value::Array(array) => array.elements.clone(),
        _ => Vec::new(),
    };
    let at = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
    let at = at.ok_or_else(|| Error::missing("an array that begins elsewhere than at 1"))?;
    if elements.is_empty() && at > 0 {
        return Err(Error::missing("an array that begins elsewhere than at 1"));
    }
    if at >= most {
        let message = format!("array size exceeds the maximum allowed ({most})");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    if at >= elements.len() {
        elements.resize(at + 1, Value::Null);
    }
    elements[at] = element;
    let length = u32::try_from(elements.len()).map_err(Error::internal)?;
    Ok(Value::Array(Arc::new(Array { dimensions: vec![length], elements })))
}

/// An element of an array, null where there is none.
fn element_of(array: &Value, indexes: &[i64]) -> Value {
    let Value::Array(array) = array else { return Value::Null };
    let at = inner_position(array, indexes);
    at.and_then(|at| array.elements.get(at)).cloned().unwrap_or(Value::Null)
}

fn inner_position(array: &Array, indexes: &[i64]) -> Option<usize> {
    if indexes.len() != array.dimensions.len() {
        return None;
    }
    indexes.iter().zip(&array.dimensions).try_fold(0_usize, |at, (index, length)| {
        let index = u32::try_from(*index).ok()?.checked_sub(1).filter(|index| index < length)?;
        Some(at * usize::try_from(*length).ok()? + usize::try_from(index).ok()?)
    })
}

/// An array of several dimensions with another element, which must be within it.
fn with_inner_element(array: &Value, indexes: &[i64], element: Value) -> Result<Value> {
    let array = match array {
        Value::Array(array) if !array.elements.is_empty() => array,
        _ if indexes.iter().all(|index| *index == 1) => {
            let array = Array { dimensions: vec![1; indexes.len()], elements: vec![element] };
            return Ok(Value::Array(Arc::new(array)));
        }
        _ => return Err(Error::missing("an array that begins elsewhere than at 1")),
    };
    if indexes.len() != array.dimensions.len() {
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, "wrong number of array subscripts"));
    }
    let at = inner_position(array, indexes);
    let at = at.ok_or_else(|| Error::new(Code::ARRAY_SUBSCRIPT, "array subscript out of range"))?;
    let mut array = (**array).clone();
    array.elements[at] = element;
    Ok(Value::Array(Arc::new(array)))
}

/// An array with other elements from one place to another.
fn with_slice(array: &Value, low: i64, high: Option<i64>, slice: &[Value], most: usize) -> Result<Value> {
    let length = match array {
        Value::Array(array) if array.dimensions.len() > 1 => {
            return Err(Error::missing("assigning to a slice of several dimensions"));
        }
        Value::Array(array) => i64::try_from(array.elements.len()).unwrap_or(i64::MAX),
        _ => 0,
    };
    let high = high.unwrap_or(length);
    let count = usize::try_from(high.saturating_sub(low).saturating_add(1)).unwrap_or(0);
    if slice.len() < count {
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, "source array too small"));
    }
    let mut changed = array.clone();
    for (index, element) in (low..=high).zip(slice) {
        changed = with_element(&changed, index, element.clone(), most)?;
    }
    Ok(changed)
}
