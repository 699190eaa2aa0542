"""The sandbox's consent page: the vendor's own page, so with a look of its own."""

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to Corecon (sandbox)</title>
<style>
  * {{ box-sizing: border-box; }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #e9ecf3; color: #1d2433;
    font: 16px/1.5 "Segoe UI", system-ui, sans-serif; }}
  main {{ width: min(26rem, 92vw); background: #fff; border-top: 5px solid #d9822b; border-radius: 4px;
    box-shadow: 0 8px 30px rgb(29 36 51 / 14%); padding: 1.75rem 2rem 2rem; }}
  .brand {{ display: flex; align-items: center; gap: .6rem; font-weight: 700; letter-spacing: .02em; }}
  .brand span {{ display: grid; place-items: center; width: 2rem; height: 2rem; border-radius: 4px; color: #fff;
    background: #24406e; }}
  .brand small {{ margin-left: auto; font-weight: 400; color: #5b6478; }}
  h1 {{ font-size: 1.2rem; line-height: 1.35; margin: 1.25rem 0 .5rem; }}
  ul {{ margin: .25rem 0 1rem; padding-left: 1.2rem; color: #3d465a; }}
  label {{ display: block; margin-top: .8rem; font-size: .9rem; font-weight: 600; }}
  input {{ width: 100%; margin-top: .25rem; padding: .55rem .65rem; font: inherit; border: 1px solid #8b94a8;
    border-radius: 4px; }}
  .alert {{ background: #fdeceb; border-left: 4px solid #b3261e; padding: .5rem .75rem; margin: .75rem 0 0; }}
  .choice {{ display: flex; gap: .75rem; margin-top: 1.4rem; }}
  button {{ flex: 1; padding: .65rem; font: inherit; font-weight: 600; border-radius: 4px; cursor: pointer;
    border: 1px solid #24406e; background: #fff; color: #24406e; }}
  button[value=allow] {{ background: #24406e; color: #fff; }}
  button:focus-visible, input:focus-visible {{ outline: 3px solid #d9822b; outline-offset: 2px; }}
  footer {{ margin-top: 1.2rem; font-size: .8rem; color: #5b6478; }}
</style>
</head>
<body>
<main>
  <div class="brand"><span aria-hidden="true">C</span> Corecon <small>Sandbox</small></div>
  {body}
  <footer>This is a stand-in for the vendor's page. Nothing here reaches Corecon.</footer>
</main>
</body>
</html>
"""

_FORM = """<h1>{app} wants to use {account}</h1>
  <p>It asks to:</p>
  <ul>{wishes}</ul>
  {alert}
  <form method="post">
    <label for="username">User name</label>
    <input id="username" name="username" value="{username}" autocomplete="username">
    <label for="password">Password</label>
    <input id="password" name="password" type="password" value="{password}" autocomplete="current-password">
    <div class="choice">
      <button name="decision" value="allow">Allow</button>
      <button name="decision" value="deny" formnovalidate>Deny</button>
    </div>
  </form>"""

_WISHES = {"add": "add records", "read": "read your records", "edit": "change records"}


def consent_page(
    *, app: str, account: str, scopes: list[str], username: str = "", password: str = "", problem: str = ""
) -> str:
    wishes = "".join(f"<li>{escape(_WISHES[scope])}</li>" for scope in scopes)
    alert = f'<p class="alert" role="alert">{escape(problem)}</p>' if problem else ""
    return _PAGE.format(
        body=_FORM.format(
            app=escape(app),
            account=escape(account),
            wishes=wishes,
            alert=alert,
            username=escape(username),
            password=escape(password),
        )
    )


def refusal_page(number: int, name: str) -> str:
    """The page that stands where the consent form would, when the request itself is wrong."""
    return _PAGE.format(
        body=f'<h1>This sign-in cannot go on</h1><p class="alert" role="alert">{number} {escape(name)}</p>'
        "<p>Compare the values of the app in Developer Mode with those that were entered.</p>"
    )
