"""Photos: upload, list, look at, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response, UploadFile

from llava_agent.inspection.intake import take_in
from llava_agent.inspection.quality import measure
from llava_agent.service.errors import TooLarge
from llava_agent.service.http.describe import content as media
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Asset, Cursor, Key, Limit, Parts, Who, paged, photo_shape
from llava_agent.service.shapes import Paged, Photo, Quality, UploadedPhoto
from llava_agent.service.store.idempotency import RequestKey
from llava_agent.service.store.page import USUAL

router = APIRouter(prefix="/api/photos", tags=["photos"])

#: Largest file of one photo.
PHOTO_BYTES = 50_000_000


@router.post(
    "",
    status_code=201,
    summary="Upload a photo",
    responses={200: {"model": UploadedPhoto, "description": "the photo that this key made before"}},
)
@needs("content.write")
def upload(
    file: UploadFile,
    desk: Parts,
    who: Who,
    response: Response,
    asset: Annotated[str, Form(max_length=100)] = "",
    key: Key = None,
) -> UploadedPhoto:
    """Turned upright, without GPS and camera data, with its quality measured.

    With an `Idempotency-Key` that came before with the same file, the photo that it made then (status 200).
    """
    if file.size is not None and file.size > PHOTO_BYTES:
        raise TooLarge(f"the photo is larger than {PHOTO_BYTES // 1_000_000} MB", "send a smaller one")
    content = file.file.read()
    taken = take_in(content, desk.intake)
    name = file.filename or ""
    known = RequestKey.of(key, {"name": name, "asset": asset}, content) if key else None
    photo, new = desk.photos.add(who, taken, name=name, asset=asset, key=known)
    if not new:
        response.status_code = 200
    response.headers["Location"] = f"/api/photos/{photo.id}"
    quality = Quality.model_validate(measure(taken.photo.image).as_dict())
    return UploadedPhoto(**dict(photo_shape(photo)), quality=quality)


@router.get("", summary="List one's photos, the newest first")
@needs("content.read")
def photos(
    desk: Parts, who: Who, asset: Asset = None, cursor: Cursor = None, limit: Limit = USUAL
) -> Paged[Photo]:
    return paged(desk.photos.list(who, asset=asset, cursor=cursor, limit=limit), photo_shape)


@router.get("/{id}", summary="What is known of a photo")
@needs("content.read")
def photo(id: str, desk: Parts, who: Who) -> Photo:
    return photo_shape(desk.photos.get(who, id))


@router.get(
    "/{id}/content",
    summary="The image file",
    response_class=Response,
    responses=media("image/jpeg", "image/png", text="upright, with pixels alone"),
)
@needs("content.read")
def content(id: str, desk: Parts, who: Who) -> Response:
    found = desk.photos.get(who, id)
    headers = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
    return Response(desk.photos.content(who, id), media_type=found.about["media_type"], headers=headers)


@router.delete("/{id}", status_code=204, summary="Delete a photo that no record rests on")
@needs("content.write")
def delete(id: str, desk: Parts, who: Who) -> None:
    desk.photos.delete(who, id)
