package report

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"rnas/internal/pagetest"
)

// TestBrowser checks that the page loads nothing, breaks none of its own rules and fits 390 and 1280 pixels.
func TestBrowser(t *testing.T) {
	r, galleries := full()
	s := pagetest.Look(t, htmlOf(t, r, galleries))
	if len(s.Requests) != 1 || !strings.HasPrefix(s.Requests[0], "file:") || len(s.Faults) > 0 || len(s.Misfits) > 0 {
		t.Errorf("found %+v", s)
	}
}

// TestBrowserPolicy puts what the page must not do into it, and expects the browser to refuse.
func TestBrowserPolicy(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	r, galleries := full()
	bad := `<img alt="" src="` + server.URL + `/a.png"><script>document.title = "changed"</script><style>h1 { background: url(` + server.URL + `/b.png) }</style><p style="width: 3000px">wide</p></body>`
	s := pagetest.Look(t, bytes.Replace(htmlOf(t, r, galleries), []byte("</body>"), []byte(bad), 1))
	if n := asked.Load(); n != 0 {
		t.Errorf("the page asked the server %d times", n)
	}
	if len(s.Misfits) != 0 {
		t.Errorf("a style attribute had an effect: %q", s.Misfits)
	}
	for _, rule := range []string{"img-src", "script", "style-src"} {
		if !strings.Contains(strings.Join(s.Faults, "\n"), rule) {
			t.Errorf("expected a violation of %s, found %q", rule, s.Faults)
		}
	}
}
