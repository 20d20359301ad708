package query

// Ages are the least ages of sends that the query asks for, in seconds: as time
// passes, a send begins to match.
func (q Query) Ages() []int64 {
	var ages []int64
	walk(q.Where, true, func(leaf Expr, _ bool) {
		if r, ok := leaf.(Recipients); ok && r.OlderThan != 0 {
			ages = append(ages, r.OlderThan)
		}
	})
	return ages
}

// Times are the times that stand within the condition, in their order.
func (q Query) Times() []Time {
	var times []Time
	walk(q.Where, true, func(leaf Expr, _ bool) {
		if t, ok := leaf.(Time); ok {
			times = append(times, t)
		}
	})
	return times
}

// OfMessagesAlone reports whether a send and whatever happens to it meet the
// query's condition alike: it asks for nothing but messages and their users.
func (q Query) OfMessagesAlone() bool {
	alone := true
	walk(q.Where, true, func(leaf Expr, _ bool) {
		k, ok := leaf.(Keyword)
		alone = alone && ok && (k.Field == FieldUser || k.Field == FieldMessage)
	})
	return alone
}
