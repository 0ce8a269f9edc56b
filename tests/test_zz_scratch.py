import httpx
async def test_site(site, client):
    r = await client.get("/up"); assert r.status_code==200, r.text
    r = await client.get("/ready"); assert r.status_code==200, r.text
    r = await client.get("/"); assert r.status_code==200
async def test_site2(site, client):
    r = await client.get("/up"); assert r.status_code==200, r.text
async def test_serve(serve, database_url):
    s = await serve(DATABASE_URL=database_url)
    assert s.status("/") == 200
    await s.restart()
    print(s.log_text())
    assert s.stop() in (0, -15)
async def test_browser(serve, person):
    s = await serve()
    ann = await person("Ann", s)
    await ann.goto("/")
    await ann.page.screenshot(path="/tmp/scr/a.png")
