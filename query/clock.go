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
