"""The page of `samcli report`: its values and their HTML; `page.html`, `page.css` and `page.js` are its shell."""

from samcli.report.page.document import page as page
