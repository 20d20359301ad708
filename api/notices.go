package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"tidings/audit"
	"tidings/notify"
	"tidings/tracking"
)

// noticesPath is where people end their notification mails of a kind.
const noticesPath = "/t/n/"

// askNotices shows a page with a button, and changes nothing: programs look at every link
// of a mail.
func (t *tracker) askNotices(c *gin.Context) {
	if _, _, err := t.read(c.Request.Context(), c.Param("token"), tracking.Notices); err != nil {
		t.page(c, http.StatusNotFound, "unknown")
		return
	}
	t.page(c, http.StatusOK, "notices-ask")
}

// stopNotices takes the one click of a mail program (RFC 8058), or a button of the page.
// Who has the link needs no sign-in: all that it does is to end these mails, or to take
// that back.
func (t *tracker) stopNotices(c *gin.Context) {
	ctx := c.Request.Context()
	workspace, token, err := t.read(ctx, c.Param("token"), tracking.Notices)
	if err != nil || t.Notify == nil {
		t.count(c, tracking.Notices, func() string { return trackUnknown })
		t.page(c, http.StatusNotFound, "unknown")
		return
	}
	form, err := unsubscribeForm(c.Writer, c.Request)
	stop, done := true, "notices-done"
	switch {
	case err != nil:
		problem(http.StatusBadRequest, "the form cannot be read").write(c.Writer)
		return
	case form.Get("Undo") == "Yes":
		stop, done = false, "notices-undone"
	case form.Get(oneClickName) != oneClickValue:
		problem(http.StatusBadRequest, "the form must say "+oneClick).write(c.Writer)
		return
	}
	if err := t.stop(ctx, workspace, token, stop, networkOf(t.client(c.Request))); err != nil {
		t.failed(c, tracking.Notices, err)
		return
	}
	t.count(c, tracking.Notices, func() string { return trackKept })
	t.page(c, http.StatusOK, done)
}

// stop changes the person's settings, with a row in the audit log.
func (t *tracker) stop(ctx context.Context, workspace string, token tracking.Token, stop bool, from string) error {
	ctx, begin, end := t.changeAs(ctx, audit.Row{
		Workspace: workspace, Actor: "nobody", Route: http.MethodPost + " " + noticesPath + "{token}", Address: from,
		Object: "kind=" + token.Message, Trace: requestID(ctx), About: []string{"user:" + token.User},
	})
	err := begin()
	if err == nil {
		_, err = t.Notify.Books.ChangeSettings(ctx, workspace, token.User, func(s *notify.Settings) error {
			s.Stop(notify.Kind(token.Message), stop)
			return nil
		})
	}
	end(err)
	return err
}
