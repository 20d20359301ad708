package mailbox

func (r interpreter) plainReport() (Reading, bool) { return Reading{}, false }
